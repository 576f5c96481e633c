import type { Worker } from '@temporalio/worker';

/**
 * Runs workers until SIGINT or SIGTERM. If one fails, the others stop, too: what they work with is about to be closed, and
 * the process must end so that its supervisor restarts it.
 * @throws the error of the worker that failed first, once all have stopped
 */
export async function runWorkers(workers: readonly Worker[]): Promise<void> {
  const errors: unknown[] = [];
  await Promise.all(
    workers.map(async (worker) => {
      try {
        await worker.run();
      } catch (error) {
        errors.push(error);
        for (const other of workers) if (other.getState() === 'RUNNING') other.shutdown();
      }
    }),
  );
  if (errors.length > 0) throw errors[0];
}
