import { eq, inArray, sql } from 'drizzle-orm';
import { z } from 'zod';
import { address, reason, type Address } from '../contracts/fields.ts';
import type { ResolveFailure } from '../contracts/messages.ts';
import { notFound, RequestError } from '../contracts/request-error.ts';
import { isOrderStep } from '../contracts/statuses.ts';
import type { Transaction } from '../db/client.ts';
import { failures, orders } from '../db/schema.ts';
import { hearsOfCancellation, requestCancellation } from '../records/cancellations.ts';
import { discardCommands, enqueueCommand, isAsked, requeueCommands } from '../records/commands.ts';
import { recordFailureEvent } from '../records/failures.ts';
import { newId } from '../records/new-id.ts';
import { lockOrder } from '../records/orders.ts';
import { defineAction, reasonInput } from './action.ts';
import { requestEmail } from './emails.ts';
import { requestRefund, settleRefund } from './refunds.ts';

type Failure = typeof failures.$inferSelect;

/** Retries the failed step of a parked order, a failed refund, or an email that could not be sent. */
export const retryFailure = defineAction({
  name: 'retry_failure',
  label: 'Retry the failed step',
  about:
    'Tries the failed step again with fresh retries and continues from there. Completed steps are not repeated. A failed refund is asked for again. An email is sent again, unless it is out of date.',
  done: 'Retry requested.',
  refusals: ['failure_not_open', 'already_requested', 'refund_unknown'],
  input: z.strictObject({
    reason,
    shippingAddress: address.optional().meta({ description: 'A corrected address, used from now on' }),
  }),
  async act(tx, target, { shippingAddress, ...instruction }) {
    // First: an order is locked before its failures. A refusal below takes it back.
    if (shippingAddress) await correctAddress(tx, target, shippingAddress);
    const failure = await lockFailure(tx, target);
    if (failure.status === 'open' && !shippingAddress) {
      if (failure.kind === 'refund') return await requestRefund(tx, failure, instruction);
      if (failure.kind === 'email') return await requestEmail(tx, failure, instruction);
    }
    const { id: failureId, orderId, occurrence } = await requireParked(tx, failure);
    await tx.update(failures).set({ status: 'retrying' }).where(eq(failures.id, failureId));
    const note = shippingAddress ? `${instruction.reason} (with a corrected address)` : instruction.reason;
    await recordFailureEvent(tx, failureId, 'retry_requested', { ...instruction, reason: note });
    await resolve(tx, orderId, { failureId, occurrence, action: 'retry', actor: instruction.actor });
  },
});

/** Cancels a parked order, and undoes what it did. */
export const cancelFailure = defineAction({
  name: 'cancel_failure',
  label: 'Cancel the order',
  about: 'Gives up and undoes what was done: releases the stock and refunds the payment.',
  done: 'Cancellation requested.',
  refusals: ['failure_not_open', 'already_requested', 'order_not_cancellable'],
  input: reasonInput,
  async act(tx, target, instruction) {
    // First: an order is locked before its failures.
    await tx.select({ id: orders.id }).from(orders).where(inArray(orders.id, orderOf(tx, target))).for('update');
    const { id: failureId, orderId } = await lockParked(tx, target);
    await recordFailureEvent(tx, failureId, 'cancel_requested', instruction);
    await requestCancellation(tx, await lockOrder(tx, orderId), instruction);
  },
});

/** Records that a failing compensation was done by hand, or closes a failure that blocks nothing. */
export const settleFailure = defineAction({
  name: 'settle_failure',
  label: 'Settle by hand',
  about:
    'Records that it was dealt with outside, for example the money refunded at the provider. The reason says how. An order whose compensation is settled continues without it.',
  done: 'Settlement requested.',
  refusals: ['failure_not_open', 'already_requested'],
  input: reasonInput,
  async act(tx, target, instruction) {
    const failure = await lockFailure(tx, target);
    const { id: failureId, kind, orderId, step } = failure;
    if (failure.status !== 'open' || kind === 'step' || isLiveRun(failure)) throw notOpen(failure);
    if (kind !== 'compensation') {
      if (kind === 'refund') await settleRefund(tx, failure);
      if (kind === 'command') await discardCommands(tx, failure.workflowId, step);
      await recordFailureEvent(tx, failureId, 'settled', instruction);
      await tx
        .update(failures)
        .set({ status: 'settled', closedAt: sql`now()` })
        .where(eq(failures.id, failureId));
      return;
    }
    if (!orderId || !isOrderStep(step)) throw notOpen(failure);
    await refuseRepeat(tx, failure, { type: 'settle_compensation', message: { failureId } });
    await recordFailureEvent(tx, failureId, 'settlement_requested', instruction);
    await enqueueCommand(tx, { type: 'settle_compensation', orderId, message: { failureId, step, actor: instruction.actor } });
  },
});

/** Resets the run of a failure to before it went wrong. */
export const resetFailure = defineAction({
  name: 'reset_failure',
  label: 'Reset the run',
  about:
    'Takes the run back to before it went wrong and continues with the code that is deployed now. Completed steps are not repeated.',
  done: 'Reset requested.',
  refusals: ['failure_not_open'],
  input: z.strictObject({
    reason,
    eventId: z
      .int()
      .min(1)
      .max(Number.MAX_SAFE_INTEGER)
      .optional()
      .meta({ description: 'The event to undo. Default: what it is failing at, or the end of the run' }),
  }),
  async act(tx, target, { eventId, ...instruction }) {
    const failure = await lockFailure(tx, target);
    const { id: failureId, workflowId } = failure;
    if (failure.kind !== 'run' || failure.status !== 'open') throw notOpen(failure);
    await tx.update(failures).set({ status: 'retrying' }).where(eq(failures.id, failureId));
    await recordFailureEvent(tx, failureId, 'reset_requested', instruction);
    await enqueueCommand(tx, { type: 'reset_run', workflowId, eventId, requestId: newId() });
  },
});

/** Delivers what was set aside again, once its cause is fixed. */
export const requeueFailure = defineAction({
  name: 'requeue_failure',
  label: 'Deliver it again',
  about:
    'Tries to deliver the command again, with fresh attempts, before the later commands of its workflow. The failure closes once it is delivered.',
  done: 'Requeued.',
  refusals: ['failure_not_open'],
  input: reasonInput,
  async act(tx, target, instruction) {
    const failure = await lockFailure(tx, target);
    const { id: failureId, kind, status, workflowId, step } = failure;
    if (kind !== 'command' || status !== 'open') throw notOpen(failure);
    if ((await requeueCommands(tx, workflowId, step)) === 0) {
      throw new RequestError('failure_not_open', 'None of its commands is set aside any more.');
    }
    await tx.update(failures).set({ status: 'retrying' }).where(eq(failures.id, failureId));
    await recordFailureEvent(tx, failureId, 'retry_requested', instruction);
  },
});

/** Tells the parked run of an order what to do. */
const resolve = (tx: Transaction, orderId: string, message: ResolveFailure): Promise<void> =>
  enqueueCommand(tx, { type: 'resolve_failure', orderId, message });

async function correctAddress(tx: Transaction, failureId: string, corrected: Address): Promise<void> {
  await tx.update(orders).set(corrected).where(inArray(orders.id, orderOf(tx, failureId)));
}

/** Selects the order that a failure is about. */
const orderOf = (tx: Transaction, failureId: string) =>
  tx.select({ id: failures.orderId }).from(failures).where(eq(failures.id, failureId));

/** Row lock: if two operators act at once, one wins and the other is refused. */
export async function lockFailure(tx: Transaction, failureId: string): Promise<Failure> {
  const [failure] = await tx.select().from(failures).where(eq(failures.id, failureId)).for('update');
  if (!failure) throw notFound('failure');
  return failure;
}

const lockParked = async (tx: Transaction, target: string) => requireParked(tx, await lockFailure(tx, target));

async function requireParked(tx: Transaction, failure: Failure): Promise<Failure & { orderId: string }> {
  const { id: failureId, kind, status, orderId, occurrence } = failure;
  if (kind !== 'step' || status !== 'open' || !orderId) throw notOpen(failure);
  await refuseRepeat(tx, failure, { type: 'resolve_failure', message: { failureId, occurrence } });
  // The run acts on the cancellation, even if it takes until the warehouse answers, and on no later decision.
  const [order] = await tx.select().from(orders).where(eq(orders.id, orderId));
  if (order?.cancellationStatus === 'requested' && (await hearsOfCancellation(tx, order))) {
    throw new RequestError('already_requested', 'The cancellation of the order has already been requested.');
  }
  return { ...failure, orderId };
}

/** A parking gets one answer, and the workflow may not have acted on it yet. One that could not be delivered does not count. */
async function refuseRepeat(tx: Transaction, { workflowId }: Failure, part: object): Promise<void> {
  if (await isAsked(tx, workflowId, part)) {
    throw new RequestError('already_requested', 'Someone has already decided what to do about this failure.');
  }
}

/** An order or signup whose run is broken still needs that run. */
const isLiveRun = ({ kind, orderId, signupId }: Failure): boolean => kind === 'run' && (orderId ?? signupId) !== null;

/** @returns the refusal of an action that the failure's state does not allow */
export const notOpen = ({ kind, status }: Failure) =>
  new RequestError('failure_not_open', `Not possible for a failure of kind ${kind} that is ${status}.`);
