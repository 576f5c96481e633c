import { and, eq } from 'drizzle-orm';
import type { Instruction } from '../contracts/caller.ts';
import { RequestError } from '../contracts/request-error.ts';
import type { Transaction } from '../db/client.ts';
import { failures, payments } from '../db/schema.ts';
import { enqueueCommand } from '../records/commands.ts';
import { recordFailureEvent } from '../records/failures.ts';
import { isOwed, recordRefundByHand, type Payment } from '../records/refunds.ts';

type Failure = typeof failures.$inferSelect;

/**
 * Asks for a refund again, on behalf of an open failure of a refund that is locked.
 * @throws RequestError `refund_unknown` if it is not for Holdfast to say how much to refund
 */
export async function requestRefund(
  tx: Transaction,
  { id: failureId, orderId, generation, occurrence }: Failure,
  instruction: Instruction,
): Promise<void> {
  const payment = await findOwedPayment(tx, { orderId, generation });
  if (!payment || !orderId || payment.captured === payment.refunded) {
    throw new RequestError(
      'refund_unknown',
      'The order keeps its payment, so this refund was made outside. Repeat it in the provider’s dashboard, then settle this failure.',
    );
  }
  await tx.update(failures).set({ status: 'retrying' }).where(eq(failures.id, failureId));
  await recordFailureEvent(tx, failureId, 'retry_requested', instruction);
  await enqueueCommand(tx, { type: 'refund_again', orderId, failureId, occurrence });
}

/** Records that a person has given back what a failed refund left with the provider. */
export async function settleRefund(tx: Transaction, failure: Failure): Promise<void> {
  const payment = await findOwedPayment(tx, failure);
  if (payment) await recordRefundByHand(tx, payment.id, failure.id);
}

/** @returns the payment, if all of it belongs to the customer */
async function findOwedPayment(
  tx: Transaction,
  { orderId, generation }: Pick<Failure, 'orderId' | 'generation'>,
): Promise<Payment | undefined> {
  if (!orderId || generation === null) return undefined;
  const [payment] = await tx
    .select()
    .from(payments)
    .where(and(eq(payments.orderId, orderId), eq(payments.generation, generation)));
  return payment && (await isOwed(tx, payment)) ? payment : undefined;
}
