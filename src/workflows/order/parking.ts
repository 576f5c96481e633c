import { condition, isCancellation, patched, type ApplicationFailure } from '@temporalio/workflow';
import type { OrderStep } from '../../contracts/statuses.ts';
import { bookkeeping } from '../activities.ts';
import { asRefusal, cancelledBy, describeError, refusal } from '../errors.ts';
import { waitingUntil } from '../summaries.ts';
import type { OrderContext } from './context.ts';
import { withdraw } from './withdrawal.ts';

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

/** The steps during which the warehouse may already have the order, although its answer was lost. */
const MAYBE_IN_WAREHOUSE: readonly OrderStep[] = ['ship', 'invoice'];

/**
 * Waits until a person asks for a retry or a cancellation. Nothing is undone meanwhile. Returns if the step is to be tried
 * again: also when the parcel turns out to have left, because then the order cannot be undone.
 */
async function park(context: OrderContext, step: OrderStep, error: unknown): Promise<void> {
  const { ref, policy, inbox, showStatus, beforeWait } = context;
  // Runs that parked before the warehouse was asked must replay without it (see docs/changing-workflows.md).
  const asksWarehouse = MAYBE_IN_WAREHOUSE.includes(step) && patched('ask-warehouse-before-giving-up');
  const giveUp = async (why: ApplicationFailure): Promise<void> => {
    if (!asksWarehouse || (await withdraw(context))) throw why;
  };
  if (inbox.canceller !== undefined) return await giveUp(cancelledBy(inbox.canceller));

  const failure = await bookkeeping.parkOrder(ref, step, describeError(error));
  // The step is done, and only the answer of its last attempt was lost. Trying it again finds that.
  if (!failure) return;
  showStatus('needs_attention', `The step "${step}" has used up its retries. Waiting for a retry or a cancellation.`);
  await beforeWait();
  const answer = () => inbox.resolutionOf(failure);
  // A parcel that moves proves that the warehouse has accepted the order.
  const isKnownDone = () => asksWarehouse && step === 'ship' && inbox.hasCarrierNews;
  await condition(
    () => answer() !== undefined || inbox.isCancelled || isKnownDone(),
    policy.parkingDeadline,
    waitingUntil(policy.parkingDeadline, (day) => `parked, cancelled automatically on ${day}`),
  );
  const resolution = answer();
  const canceller = inbox.canceller ?? (resolution?.action === 'cancel' ? resolution.actor : undefined);
  if (canceller !== undefined) await giveUp(cancelledBy(canceller));
  else if (!resolution && !isKnownDone()) {
    await giveUp(refusal('parking_deadline_passed', `The step "${step}" was not fixed in time.`));
  }
  inbox.hasCarrierNews = false;
  const status = await bookkeeping.resumeOrder(ref, failure);
  showStatus(status, `Retrying the step "${step}".`);
}
