import { expect, it } from 'vitest';
import { clockTime } from '../../src/alerts/trouble.ts';

const clock = { now: new Date('2026-03-01T20:00:00Z'), timeZone: 'Europe/Berlin' };

it.each([
  ['2026-03-01T18:41:00Z', '19:41 CET'],
  ['2026-02-27T18:41:00Z', '19:41 CET on 27 Feb'],
])('says in which time zone %s was: whoever is on call may be in another one', (time, said) => {
  expect(clockTime(new Date(time), clock)).toBe(said);
});
