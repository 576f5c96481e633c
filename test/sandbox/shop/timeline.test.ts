import { expect, it } from 'vitest';
import { parkedOrder } from '../../../src/api/examples/orders.ts';
import type { Step } from '../../../src/sandbox/shop/backend.ts';
import { timelineOf } from '../../../src/sandbox/shop/timeline.ts';

const BEGAN = '2026-11-24T08:15:02.000Z';
const GAVE_UP = '2026-11-24T08:15:17.000Z';
const UNDONE = '2026-11-24T08:20:00.000Z';

const aStep = (step: Partial<Step>): Step => ({
  step: 'ship',
  kind: 'step',
  state: 'done',
  attempts: 1,
  error: null,
  startedAt: BEGAN,
  finishedAt: null,
  generation: 1,
  events: [],
  ...step,
});

const event = (type: 'started' | 'exhausted', at: string) => ({ attempt: 4, type, at, durationMs: null, error: null, worker: null });
/** A cancellation came while it was retried, so it never succeeded. */
const givenUp = aStep({ state: 'undone', attempts: 4, events: [event('started', BEGAN), event('started', GAVE_UP)] });
const exhausted = aStep({ state: 'exhausted', attempts: 4, events: [event('started', BEGAN), event('exhausted', GAVE_UP)] });
const undoing = (at: string) => aStep({ kind: 'compensation', startedAt: at, finishedAt: at });

const find = (steps: Step[], title: string) => timelineOf(parkedOrder, steps).find((entry) => entry.title === title);

it('shows a parked step at the time at which it was parked', () => {
  expect(find([exhausted], 'Asking the warehouse to ship failed')).toMatchObject({ at: GAVE_UP, detail: expect.stringContaining('4 attempts') });
});

it('says that a repeated step was done once', () => {
  expect(find([aStep({ attempts: 2, finishedAt: GAVE_UP })], 'Accepted by the warehouse')).toMatchObject({ detail: '2 attempts, done once.' });
});

it.each([
  ['refused', aStep({ state: 'refused', finishedAt: GAVE_UP })],
  ['parked', exhausted],
  ['given up', givenUp],
])('says why a step is undone that was %s', (_, step) => {
  const detail = 'In case the failed attempt did something after all.';
  expect(find([step, undoing(UNDONE)], 'Shipment cancelled')).toMatchObject({ detail });
});

it('does not say of a step that was given up that it was done', () => {
  expect(timelineOf(parkedOrder, [givenUp, undoing(UNDONE)]).map(({ title }) => title)).toEqual([
    'Order accepted',
    'Asking the warehouse to ship was interrupted',
    'Shipment cancelled',
  ]);
});

it('says nothing of the kind about a step that was done', () => {
  expect(find([aStep({ state: 'undone', finishedAt: GAVE_UP }), undoing(UNDONE)], 'Shipment cancelled')?.detail).toBeUndefined();
});
