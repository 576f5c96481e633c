import type { Worker } from '@temporalio/worker';

/**
 * Runs that one worker process works on at once before it takes no new ones. Enough to keep a core busy while some of them wait
 * for Postgres and the outside. More would only make each of them slower.
 */
const MOST_RUNS = 12;
/** A worker with fewer takes what waits in its task queue at once, so there is no need to ask for that. */
const BUSY = 5;
/** ms between two questions of how many tasks wait. */
const INTERVAL = 100;

type Work = Pick<ReturnType<Worker['getStatus']>, 'numInFlightWorkflowActivations' | 'numInFlightLocalActivities'>;

/**
 * Watches for how many more runs a worker has room. Each that it works on has its code running, or a local activity. Each whose
 * task waits in the task queue comes before what is started now.
 * @param readWaiting how many tasks wait in the task queue
 * @returns a function that says how many more runs to start; none if that is below 1. It does not wait for an answer
 */
export function watchRoom(worker: { getStatus: () => Work }, readWaiting: () => Promise<number>): () => number {
  let waiting = 0;
  let askedAt = -Infinity;

  async function ask(): Promise<void> {
    askedAt = performance.now();
    // Temporal is away: then nothing is started either.
    waiting = await readWaiting().catch(() => 0);
  }

  return () => {
    const { numInFlightWorkflowActivations, numInFlightLocalActivities } = worker.getStatus();
    const working = numInFlightWorkflowActivations + numInFlightLocalActivities;
    if ((working >= BUSY || waiting > 0) && performance.now() - askedAt >= INTERVAL) void ask();
    return MOST_RUNS - working - waiting;
  };
}
