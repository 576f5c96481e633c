import { CancellationScope } from '@temporalio/workflow';
import type { Inbox } from './inbox.ts';

/**
 * Runs an activity, and cancels it once a message makes it needless: it may be retrying for hours. Waits for it either
 * way, so that its outcome is known.
 */
export async function unless<Result>(inbox: Inbox, isNeedless: () => boolean, run: () => Promise<Result>): Promise<Result> {
  const scope = new CancellationScope();
  const check = () => {
    if (isNeedless()) scope.cancel();
  };
  inbox.listeners.add(check);
  check();
  try {
    return await scope.run(run);
  } finally {
    inbox.listeners.delete(check);
  }
}

/** Runs an activity unless the order is, or gets, cancelled. */
export const unlessCancelled = <Result>(inbox: Inbox, run: () => Promise<Result>): Promise<Result> =>
  unless(inbox, () => inbox.isCancelled, run);
