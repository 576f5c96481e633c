import { and, eq, inArray, sql } from 'drizzle-orm';
import { isUnderWay, REFUND_STATUSES, type RefundStatus } from '../contracts/statuses.ts';
import type { Transaction } from '../db/client.ts';
import { payments, refunds } from '../db/schema.ts';

export type Payment = typeof payments.$inferSelect;

/** A refund as the provider reports it. `amount` in minor units. */
export interface ReportedRefund {
  id: string;
  amount: number;
  status: RefundStatus;
}

/**
 * The statuses that a report replaces. A refund never goes back: it is under way, then succeeded, then perhaps failed. So
 * reports may come late, twice and in any order.
 */
const REPLACED_BY: Record<RefundStatus, RefundStatus[]> = {
  pending: ['requires_action'],
  requires_action: ['pending'],
  succeeded: REFUND_STATUSES.filter(isUnderWay),
  failed: [...REFUND_STATUSES.filter(isUnderWay), 'succeeded'],
  canceled: [...REFUND_STATUSES.filter(isUnderWay), 'succeeded'],
};

/**
 * Records what the provider reports about refunds of a payment, and counts them again. Locks the payment.
 * @param captured minor units, if the provider has told that, too
 * @returns the payment as it is now
 */
export async function recordRefunds(
  tx: Transaction,
  paymentId: string,
  reported: readonly ReportedRefund[],
  captured?: number,
): Promise<Payment> {
  const payment = await lockPayment(tx, paymentId);
  for (const { id, amount, status } of reported) {
    await tx
      .insert(refunds)
      .values({ providerRefundId: id, paymentId, amount, status })
      .onConflictDoUpdate({
        target: refunds.providerRefundId,
        set: { status, updatedAt: sql`now()` },
        setWhere: inArray(refunds.status, REPLACED_BY[status]),
      });
  }
  return await countRefunds(tx, { ...payment, captured: captured ?? payment.captured });
}

async function lockPayment(tx: Transaction, paymentId: string): Promise<Payment> {
  const [payment] = await tx.select().from(payments).where(eq(payments.id, paymentId)).for('update');
  if (!payment) throw new Error('The payment is not in the database.');
  return payment;
}

/** Marks a refund that a person made outside. */
const BY_HAND = 'by-hand:';

const isByHand = ({ providerRefundId }: { providerRefundId: string }): boolean => providerRefundId.startsWith(BY_HAND);

/** Records that a person has given back what is left of a payment. Locks the payment. @param failureId names the settlement */
export async function recordRefundByHand(tx: Transaction, paymentId: string, failureId: string): Promise<void> {
  const payment = await lockPayment(tx, paymentId);
  const amount = payment.captured - payment.refunded;
  if (amount <= 0) return;
  await tx
    .insert(refunds)
    .values({ providerRefundId: `${BY_HAND}${failureId}`, paymentId, amount, status: 'succeeded' })
    .onConflictDoUpdate({ target: refunds.providerRefundId, set: { amount: sql`${refunds.amount} + ${amount}` } });
  await countRefunds(tx, payment);
}

/** Writes what was captured and how much of it is given back. @returns the payment as it is now */
async function countRefunds(tx: Transaction, payment: Payment): Promise<Payment> {
  const { id, captured } = payment;
  const succeeded = await tx
    .select()
    .from(refunds)
    .where(and(eq(refunds.paymentId, id), eq(refunds.status, 'succeeded')));
  const byProvider = sumOf(succeeded.filter((refund) => !isByHand(refund)));
  // Mostly, a person refunds in the provider's dashboard. Once the provider reports that, it would count twice.
  let left = Math.max(captured - byProvider, 0);
  for (const refund of succeeded.filter(isByHand)) {
    const amount = Math.min(refund.amount, left);
    left -= amount;
    const row = eq(refunds.providerRefundId, refund.providerRefundId);
    if (amount === 0) await tx.delete(refunds).where(row);
    else if (amount < refund.amount) await tx.update(refunds).set({ amount }).where(row);
  }
  const refunded = captured - left;
  const counted = { captured, refunded, state: stateOf(payment, refunded) };
  await tx.update(payments).set(counted).where(eq(payments.id, id));
  return { ...payment, ...counted };
}

/** A payment of which nothing is captured keeps its state. */
function stateOf({ state, captured }: Payment, refunded: number): Payment['state'] {
  if (captured === 0) return state;
  return refunded === captured ? 'refunded' : 'captured';
}

const sumOf = (amounts: { amount: number }[]): number => amounts.reduce((total, { amount }) => total + amount, 0);
