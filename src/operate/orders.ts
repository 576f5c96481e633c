import { eq, sql } from 'drizzle-orm';
import { actorOf } from '../contracts/caller.ts';
import { RequestError } from '../contracts/request-error.ts';
import type { Transaction } from '../db/client.ts';
import { failures, orders, payments, sagaSteps } from '../db/schema.ts';
import { NOT_CANCELLED, requestCancellation } from '../records/cancellations.ts';
import { enqueueCommand } from '../records/commands.ts';
import { isErased } from '../records/erasure.ts';
import { recordFailureEvent } from '../records/failures.ts';
import { isApproval } from '../records/order-rows.ts';
import { recordOrderEvent } from '../records/order-status.ts';
import { lockOrder, unsettledAmount } from '../records/orders.ts';
import { defineAction, reasonInput, type ActionDescription } from './action.ts';

/** Cancels an order that the carrier does not have yet. */
export const cancelOrder = defineAction({
  name: 'cancel_order',
  label: 'Cancel the order',
  about: 'Undoes what was done. Refused once the parcel has left.',
  done: 'Cancellation requested.',
  refusals: ['order_not_cancellable'],
  input: reasonInput,
  act: async (tx, orderId, instruction) => requestCancellation(tx, await lockOrder(tx, orderId), instruction),
});

/** Approves an order that waits for it. */
export const approveOrder = decision('approve', {
  name: 'approve_order',
  label: 'Approve the order',
  about: 'Charges the payment and continues the order. The first decision counts. Nobody approves an order of their own.',
  done: 'Approved.',
  refusals: ['approval_not_awaited', 'own_order'],
});

/** Rejects an order that waits for approval. */
export const rejectOrder = decision('reject', {
  name: 'reject_order',
  label: 'Reject the order',
  about: 'Ends the order without a charge. The first decision counts.',
  done: 'Rejected.',
  refusals: ['approval_not_awaited'],
});

function decision(made: 'approve' | 'reject', description: ActionDescription) {
  return defineAction({
    ...description,
    input: reasonInput,
    async act(tx, target, { reason, actor }) {
      const { id: orderId, owner, generation, status, approvalDecision } = await lockOrder(tx, target);
      if (made === 'approve' && actor === actorOf({ keyId: owner })) {
        throw new RequestError('own_order', 'The key that placed an order cannot approve it. Someone else has to.');
      }
      if (status !== 'awaiting_approval' || approvalDecision !== null) {
        throw new RequestError('approval_not_awaited', 'The order is not waiting for a decision.');
      }
      await tx.update(orders).set({ approvalDecision: made }).where(eq(orders.id, orderId));
      await tx
        .update(sagaSteps)
        .set({ result: { decision: made, reason, actor } })
        .where(isApproval({ orderId, generation }));
      await enqueueCommand(tx, { type: 'decide_approval', orderId, message: { decision: made, actor } });
    },
  });
}

/** Restarts an order that ended as failed, as its next generation: with its own keys, as if it had just been placed. */
export const restartOrder = defineAction({
  name: 'restart_order',
  label: 'Restart the order',
  about: "Runs the failed order again from the start, as its next generation. Refused while money of an earlier one is not refunded, and once the customer's data was erased.",
  done: 'Restart requested.',
  refusals: ['order_not_failed', 'money_unsettled', 'person_erased'],
  input: reasonInput,
  async act(tx, target, instruction) {
    const { id: orderId, status, amount, currency, generation: last, customerEmail } = await lockOrder(tx, target);
    if (status !== 'failed') {
      throw new RequestError('order_not_failed', `The order is ${status}. Only a failed order can be restarted.`);
    }
    if (isErased({ id: orderId, customerEmail })) throw new RequestError('person_erased', 'The address of the order was erased.');
    if ((await unsettledMoney(tx, orderId)) > 0) {
      throw new RequestError('money_unsettled', 'Money of an earlier generation is not refunded yet.');
    }
    const generation = last + 1;
    await tx
      .update(orders)
      .set({
        generation,
        status: 'accepted',
        ...NOT_CANCELLED,
        approvalDecision: null,
        shipmentRejectionReason: null,
        failureType: null,
        failureMessage: null,
        updatedAt: sql`now()`,
      })
      .where(eq(orders.id, orderId));
    await recordOrderEvent(tx, { orderId, generation }, 'accepted');
    const touched = await tx.select({ id: failures.id }).from(failures).where(eq(failures.orderId, orderId));
    for (const { id } of touched) await recordFailureEvent(tx, id, 'restart_requested', instruction);
    await enqueueCommand(tx, { type: 'start_order', orderId, generation, amount, currency });
  },
});

/** @returns minor units that were captured for an order, in any generation, and not refunded */
async function unsettledMoney(tx: Transaction, orderId: string): Promise<number> {
  const [row] = await tx.select({ amount: unsettledAmount }).from(payments).where(eq(payments.orderId, orderId));
  return row?.amount ?? 0;
}
