import { expect, it } from 'vitest';
import { parseFilter, queryOf } from '../../../src/ops/pages/filters.ts';

it('takes what a form says, leaves out what it does not, and reads times as UTC', () => {
  const { filter, typed, error } = parseFilter({ kind: 'step', step: ' ', status: 'any', from: '2026-11-24T01:30', page: 'x' });
  expect(error).toBeUndefined();
  expect(filter).toEqual({ kind: 'step', from: '2026-11-24T01:30:00Z' });
  expect(typed).toEqual({ kind: 'step', status: 'any', from: '2026-11-24T01:30' });
});

it('says what is wrong, shows it again, and then filters by nothing', () => {
  const { filter, typed, error } = parseFilter({ orderId: 'seven', kind: 'step' });
  expect(error).toMatch(/orderId/);
  expect(filter).toEqual({});
  expect(typed).toEqual({ orderId: 'seven', kind: 'step' });
});

it('writes what is said into a query, and nothing when nothing is', () => {
  expect(queryOf({ kind: 'step', text: 'a & b', cursor: undefined })).toBe('?kind=step&text=a+%26+b');
  expect(queryOf({ cursor: undefined })).toBe('');
});
