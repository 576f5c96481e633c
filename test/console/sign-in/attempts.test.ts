import { expect, it } from 'vitest';
import { SignInAttempts } from '../../../src/console/sign-in/attempts.ts';

it('allows ten failed sign-ins per address and minute, and does not count successful ones', () => {
  const attempts = new SignInAttempts();
  for (let tries = 0; tries < 20; tries += 1) {
    expect(attempts.take('a')).toBe(true);
    attempts.giveBack('a');
  }
  for (let tries = 0; tries < 10; tries += 1) expect(attempts.take('a')).toBe(true);
  expect(attempts.take('a')).toBe(false);
  expect(attempts.take('b')).toBe(true);
});
