import { expect, it } from 'vitest';
import { failureFilterSchema } from '../../../src/contracts/failure-filter.ts';
import { queryOf, readSearch } from '../../../src/console/kit/search.ts';

it('reads the fields of a form, ignores empty and unknown ones, and reads times as UTC', () => {
  const query = { kind: 'step', step: ' ', status: 'any', from: '2026-11-24T01:30', page: 'x' };
  const { meant, typed, error } = readSearch(query, failureFilterSchema);
  expect(error).toBeUndefined();
  expect(meant).toEqual({ kind: 'step', from: '2026-11-24T01:30:00Z' });
  expect(typed).toEqual({ kind: 'step', status: 'any', from: '2026-11-24T01:30' });
});

it('says which field is wrong, keeps what was typed, and searches for nothing', () => {
  const { meant, typed, error } = readSearch({ orderId: 'seven', kind: 'step' }, failureFilterSchema);
  expect(error).toMatch(/^order id: /);
  expect(meant).toEqual({});
  expect(typed).toEqual({ orderId: 'seven', kind: 'step' });
});

it('writes the fields that have a value into a query string', () => {
  expect(queryOf({ kind: 'step', text: 'a & b', cursor: undefined })).toBe('?kind=step&text=a+%26+b');
  expect(queryOf({ cursor: undefined })).toBe('');
});
