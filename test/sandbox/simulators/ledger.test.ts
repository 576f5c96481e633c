import { appendFileSync, chmodSync, readFileSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { Ledger } from '../../../src/sandbox/simulators/ledger.ts';
import { temporaryFile } from './support.ts';

const entry = z.object({ type: z.literal('counted'), by: z.int() });

function open(file: string) {
  let total = 0;
  const ledger = new Ledger(file, entry, ({ by }) => (total += by));
  return { ledger, total: () => total };
}

test('state is rebuilt from the entries, and numbering continues', () => {
  const file = temporaryFile();
  open(file).ledger.append({ type: 'counted', by: 2 }, { type: 'counted', by: 3 });
  const again = open(file);
  expect(again.total()).toBe(5);
  again.ledger.append({ type: 'counted', by: 1 });
  expect(open(file).ledger.entries.map(({ seq, by }) => [seq, by])).toEqual([[1, 2], [2, 3], [3, 1]]);
});

test('only the owner can read the file, also one that others could read before', () => {
  const file = temporaryFile();
  const rights = () => statSync(file).mode & 0o777;
  open(file).ledger.append({ type: 'counted', by: 2 });
  expect(rights()).toBe(0o600);
  chmodSync(file, 0o644);
  expect(open(file).total()).toBe(2);
  expect(rights()).toBe(0o600);
});

test('an incomplete commit is dropped entirely, and later commits are kept', () => {
  const file = temporaryFile();
  open(file).ledger.append({ type: 'counted', by: 2 });
  appendFileSync(file, readFileSync(file, 'utf8').slice(0, -5));
  const torn = open(file);
  expect(torn.total()).toBe(2);
  torn.ledger.append({ type: 'counted', by: 4 });
  expect(open(file).total()).toBe(6);
});

test('a complete line that is not a commit is rejected', () => {
  const file = temporaryFile();
  appendFileSync(file, '[{"type":"counted"}]\n');
  expect(() => open(file)).toThrow(z.ZodError);
});
