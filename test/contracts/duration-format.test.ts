import { expect, it } from 'vitest';
import { duration, took } from '../../src/contracts/duration-format.ts';

it.each([
  [0, '0 s', '0 ms'],
  [12, '0 s', '12 ms'],
  [400, '0.4 s', '400 ms'],
  [1_234, '1 s', '1.2 s'],
  [45_000, '45 s', '45 s'],
  [60_000, '60 s', '60 s'],
  [180_000, '3 min', '3 min'],
  [7_200_000, '2 h', '2 h'],
  [259_200_000, '3 days', '3 days'],
])('writes %d ms as %s, and as what something took as %s', (ms, asDuration, asTook) => {
  expect([duration(ms), took(ms)]).toEqual([asDuration, asTook]);
});
