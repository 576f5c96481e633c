import { and, eq, inArray, sql } from 'drizzle-orm';
import type { ErrorDetails } from '../contracts/errors.ts';
import { orderWorkflowId, type OrderRef } from '../contracts/ids.ts';
import { formatMoney, sumOf } from '../contracts/money.ts';
import { hasFailed, isUnderWay, REFUND_STATUSES, type RefundStatus } from '../contracts/statuses.ts';
import type { Transaction } from '../db/client.ts';
import { orders, payments, refunds, sagaSteps } from '../db/schema.ts';
import { closeFailures, openFailure } from './failures.ts';
import { isEndedBadly, isOf } from './order-rows.ts';

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

/**
 * Records what the provider reports by itself, or after an operator has asked for a refund. Like `recordRefunds`, and opens a
 * failure if money that should have been given back is still with the provider. It is resolved once all of it has been.
 * @returns the error of the failure that it opens, if it does
 */
export async function recordRefundNews(
  tx: Transaction,
  paymentId: string,
  reported: readonly ReportedRefund[],
  captured?: number,
): Promise<ErrorDetails | undefined> {
  const before = await lockPayment(tx, paymentId);
  const payment = await recordRefunds(tx, paymentId, reported, captured);
  const undoing = await stateOfUndoing(tx, payment);
  // While the charge is being undone, its compensation sees to it.
  if (undoing !== undefined && undoing !== 'done') return undefined;
  const owed = undoing === 'done' || (await hasEndedBadly(tx, payment));
  if (owed && payment.refunded === payment.captured) {
    await closeFailures(tx, payment, REFUND, 'resolved', 'The money has been given back.');
    return undefined;
  }
  const all = await tx.select().from(refunds).where(eq(refunds.paymentId, paymentId));
  const underWay = sumOf(all.filter(({ status }) => isUnderWay(status)));
  const kept = owed ? payment.captured - payment.refunded - underWay : before.refunded - payment.refunded;
  if (kept <= 0) return undefined;
  const failed = all.filter(({ status }) => hasFailed(status)).length;
  await openRefundFailure(tx, payment, kept, failed);
  return refundError(payment, kept, failed);
}

const REFUND = { kind: 'refund', step: 'charge' } as const;

/**
 * @param kept minor units that should have been given back
 * @param failed how many refunds of the payment have failed
 * @returns the id of the failure
 */
async function openRefundFailure(tx: Transaction, payment: Payment, kept: number, failed: number): Promise<string> {
  const { orderId, generation } = payment;
  const { failureId } = await openFailure(tx, {
    ...REFUND,
    orderId,
    generation,
    workflowId: orderWorkflowId(orderId),
    attempts: Math.max(failed, 1),
    ...refundError(payment, kept, failed),
  });
  return failureId;
}

/** The parameters are those of `openRefundFailure`. */
function refundError({ currency }: Payment, kept: number, failed: number): ErrorDetails {
  const money = formatMoney(kept, currency);
  return failed > 0
    ? { errorType: 'refund_failed', errorMessage: `A refund has failed. The customer does not have ${money}.` }
    : { errorType: 'unexpected_payment', errorMessage: `The provider has captured ${money} for an order that was undone.` };
}

/** @returns the state of the compensation of a charge; undefined if it has not begun */
async function stateOfUndoing(tx: Transaction, ref: OrderRef) {
  const [row] = await tx
    .select({ state: sagaSteps.state })
    .from(sagaSteps)
    .where(and(isOf(sagaSteps, ref), eq(sagaSteps.step, 'charge'), eq(sagaSteps.kind, 'compensation')));
  return row?.state;
}

/** @returns whether a charge has been undone */
export const isChargeUndone = async (tx: Transaction, ref: OrderRef): Promise<boolean> =>
  (await stateOfUndoing(tx, ref)) === 'done';

/** @returns whether this generation of an order keeps no money, even if nothing has undone its charge */
export const hasEndedBadly = async (tx: Transaction, { orderId, generation }: OrderRef): Promise<boolean> =>
  (await tx.$count(orders, and(eq(orders.id, orderId), isEndedBadly(generation)))) > 0;

/** @returns whether all that was captured belongs to the customer */
export const isOwed = async (tx: Transaction, ref: OrderRef): Promise<boolean> =>
  (await isChargeUndone(tx, ref)) || (await hasEndedBadly(tx, ref));

/** Opens a failure for money that an order has kept although it has ended badly. @returns its id; undefined if all was given back */
export async function reportKeptMoney(tx: Transaction, paymentId: string): Promise<string | undefined> {
  const payment = await lockPayment(tx, paymentId);
  const kept = payment.captured - payment.refunded;
  return kept > 0 ? await openRefundFailure(tx, payment, kept, 0) : undefined;
}

async function lockPayment(tx: Transaction, paymentId: string): Promise<Payment> {
  const [payment] = await tx.select().from(payments).where(eq(payments.id, paymentId)).for('update');
  if (!payment) throw new Error('The payment is not in the database.');
  return payment;
}

const BY_HAND = 'by-hand:';

/** @returns whether a person has made a refund outside, so that the provider does not know it */
export const isByHand = ({ providerRefundId }: { providerRefundId: string }): boolean => providerRefundId.startsWith(BY_HAND);

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
  const counted = { captured, refunded, state: stateOf(payment, refunded), capturedAt: capturedAt(payment) };
  const [now = payment] = await tx.update(payments).set(counted).where(eq(payments.id, id)).returning();
  return now;
}

const capturedAt = ({ captured }: Payment) => (captured > 0 ? sql`coalesce(${payments.capturedAt}, now())` : null);

/** A payment of which nothing is captured keeps its state. */
function stateOf({ state, captured }: Payment, refunded: number): Payment['state'] {
  if (captured === 0) return state;
  return refunded === captured ? 'refunded' : 'captured';
}
