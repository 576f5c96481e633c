import { Context, heartbeat } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';

/** ms. More often than Temporal is told: the SDK sends heartbeats according to the timeout. */
const HEARTBEAT = 1_000;

/**
 * Heartbeats while `work` goes on, so that the activity hears when the workflow cancels it, and then stops waiting. The work
 * itself may still take effect, so the workflow has to undo it.
 * @throws CancelledFailure
 */
export async function unlessCancelled<Result>(work: Promise<Result>): Promise<Result> {
  const heartbeats = setInterval(() => heartbeat(), HEARTBEAT);
  try {
    return await Promise.race([work, cancellation()]);
  } finally {
    clearInterval(heartbeats);
  }
}

/** @throws CancelledFailure if the workflow has cancelled this activity. Call it before what is hard to undo. */
export function stopIfCancelled(): void {
  if (isCancelled()) throw new CancelledFailure('The activity was cancelled.');
}

/** A worker that shuts down also cancels its activities, but lets them finish. */
const isCancelled = (): boolean => Context.current().cancellationDetails?.cancelRequested === true;

const cancellation = (): Promise<never> =>
  new Promise((_resolve, reject) => {
    Context.current().cancelled.catch((error: unknown) => {
      if (isCancelled()) reject(error);
    });
  });
