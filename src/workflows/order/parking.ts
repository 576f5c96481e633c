import { condition, isCancellation } from '@temporalio/workflow';
import type { OrderStep } from '../../contracts/statuses.ts';
import { bookkeeping } from '../activities.ts';
import { asRefusal, describeError, refusal } from '../errors.ts';
import { showStatus } from '../status.ts';
import type { OrderContext } from './context.ts';

/** Runs a step until it succeeds or is refused. When its retries are used up, the order parks. A retry has a new budget. */
export async function attempt<Result>(context: OrderContext, step: OrderStep, run: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await run();
    } catch (error) {
      if (isCancellation(error)) context.inbox.stopIfCancelled();
      if (asRefusal(error)) throw error;
      await park(context, step, error);
    }
  }
}

/** Waits until a person asks for a retry or a cancellation. Nothing is undone meanwhile. */
async function park({ ref, policy, inbox }: OrderContext, step: OrderStep, error: unknown): Promise<void> {
  inbox.stopIfCancelled();
  const failure = await bookkeeping.parkOrder(ref, step, describeError(error));
  // The step is done, and only the answer of its last attempt was lost. Trying it again finds that.
  if (!failure) return;
  showStatus('needs_attention', `The step "${step}" has used up its retries. Waiting for a retry or a cancellation.`);
  const answer = () => inbox.resolutionOf(failure);
  await condition(() => answer() !== undefined || inbox.isCancelled, policy.parkingDeadline);
  inbox.stopIfCancelled();
  const resolution = answer();
  if (!resolution) throw refusal('parking_deadline_passed', `The step "${step}" was not fixed in time.`);
  if (resolution.action === 'cancel') throw refusal('order_cancelled', `Cancelled by ${resolution.actor}.`);
  const status = await bookkeeping.resumeOrder(ref, failure);
  showStatus(status, `Retrying the step "${step}".`);
}
