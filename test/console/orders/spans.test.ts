import { expect, it } from 'vitest';
import { spansOf, totals } from '../../../src/console/orders/spans.ts';
import type { AttemptEvent, AttemptOutcome } from '../../../src/queries/attempts.ts';

/** Seconds since the order was accepted. */
const at = (seconds: number) => new Date(1_000 * seconds);

const event = (seconds: number, type: AttemptOutcome, attempt = 1, took?: number): AttemptEvent => ({
  type,
  attempt,
  at: at(seconds),
  durationMs: took === undefined ? null : 1_000 * took,
  errorType: null,
  errorMessage: null,
  worker: '1@host',
});

const spent = (step: string, events: AttemptEvent[], openUntil?: Date) =>
  spansOf({ step, events, openUntil }).map(({ spent: what, from, to }) => `${from / 1_000} to ${to / 1_000}: ${what}`);

it('divides the time of a step into working, retrying, and waiting while it is parked', () => {
  const events = [
    event(1, 'started'),
    event(2, 'failed', 1, 1),
    event(4, 'started', 2),
    event(5, 'failed', 2, 1),
    event(6, 'exhausted', 2),
    event(60, 'started', 3),
    event(61, 'done', 3, 1),
  ];
  expect(spent('ship', events)).toEqual([
    '1 to 2: working',
    '2 to 4: retrying',
    '4 to 5: working',
    '5 to 6: retrying',
    '6 to 60: waiting',
    '60 to 61: working',
  ]);
  expect(totals(spansOf({ step: 'ship', events }))).toEqual([
    { spent: 'working', ms: 3_000 },
    { spent: 'retrying', ms: 3_000 },
    { spent: 'waiting', ms: 54_000 },
  ]);
});

it.each([
  ['is being attempted', 'ship', [event(1, 'started')], ['1 to 9: working']],
  ['is about to be retried', 'ship', [event(1, 'started'), event(2, 'failed', 1, 1)], ['1 to 2: working', '2 to 9: retrying']],
  ['waits for a person', 'ship', [event(2, 'failed', 1, 1), event(3, 'exhausted')], ['1 to 2: working', '2 to 3: retrying', '3 to 9: waiting']],
  ['waits for an approval', 'approval', [event(1, 'started')], ['1 to 9: waiting']],
])('goes on until now while a step %s', (_, step, events, expected) => {
  expect(spent(step, events, at(9))).toEqual(expected);
});

it('counts a lost attempt as retrying, and starts a step of one statement before its end', () => {
  expect(spent('ship', [event(1, 'started'), event(20, 'lost'), event(20, 'started', 2), event(21, 'done', 2, 1)])).toEqual([
    '1 to 20: retrying',
    '20 to 21: working',
  ]);
  expect(spent('reserve', [event(2, 'done', 1, 1)])).toEqual(['1 to 2: working']);
});

it('counts no time twice while a late attempt overlaps the next one', () => {
  expect(spent('ship', [event(1, 'started'), event(3, 'started', 2), event(4, 'done', 2, 1), event(6, 'done', 1, 5)])).toEqual([
    '1 to 6: working',
    '3 to 4: working',
  ]);
});

it('counts no time between two calls, the first of which was answered, and goes on until now during the second', () => {
  const first = [event(1, 'started'), event(2, 'done', 1, 1)];
  const second = [event(60, 'started', 2), event(61, 'failed', 2, 1)];
  expect(spent('ship', [...first, ...second], at(70))).toEqual(['1 to 2: working', '60 to 61: working', '61 to 70: retrying']);
});
