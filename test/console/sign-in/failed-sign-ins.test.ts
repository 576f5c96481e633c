import { expect, it } from 'vitest';
import { FailedSignIns } from '../../../src/console/sign-in/failed-sign-ins.ts';

it('takes more than ten failed sign-ins from one address within a minute for too many', () => {
  const failed = new FailedSignIns();
  for (let tries = 0; tries < 10; tries += 1) expect(failed.add('a')).toBe(false);
  expect(failed.add('a')).toBe(true);
  expect(failed.add('b')).toBe(false);
});
