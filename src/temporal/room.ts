import type { Worker } from '@temporalio/worker';

/**
 * Runs that one worker process works on at once before it takes no new ones. Enough to keep a core busy while some of them wait
 * for Postgres and the outside. More would only make each of them slower.
 */
const MOST_RUNS = 20;

/** @returns for how many more runs a worker has room. Each that it works on has its code running, or a local activity */
export function roomOf(worker: Worker): number {
  const { numInFlightWorkflowActivations, numInFlightLocalActivities } = worker.getStatus();
  return MOST_RUNS - numInFlightWorkflowActivations - numInFlightLocalActivities;
}
