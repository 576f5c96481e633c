import { expect, it } from 'vitest';
import { watchRoom } from '../../src/temporal/room.ts';

const workerWith = (runs: number) => ({ getStatus: () => ({ numInFlightWorkflowActivations: runs, numInFlightLocalActivities: 0 }) });

it('does not ask what waits while the worker has little to do', () => {
  const room = watchRoom(workerWith(4), () => Promise.reject(new Error('asked')));
  expect([room(), room()]).toEqual([8, 8]);
});

it('leaves room for what already waits in the task queue, until it waits no more', async () => {
  let waiting = 30;
  const room = watchRoom(workerWith(8), () => Promise.resolve(waiting));
  expect(room()).toBe(4);
  await expect.poll(room).toBe(-26);
  waiting = 0;
  await expect.poll(room).toBe(4);
});
