import { and, eq, sql } from 'drizzle-orm';
import type { OrderRef } from '../contracts/ids.ts';
import type { Transaction } from '../db/client.ts';
import { failures, payments } from '../db/schema.ts';
import { enqueueCommand } from './commands.ts';
import { recordFailureEvent } from './failures.ts';
import { isOf } from './order-rows.ts';
import { isChargeUndone, recordRefundNews, type Payment } from './refunds.ts';

/** Marks what the application does by itself. */
const HOLDFAST = 'holdfast';

/**
 * Records that the provider reports a payment as captured. If the order is parked because the charge had no answer, the charge
 * is retried, and then finds it. If the charge has been undone, the money belongs to the customer: a failure opens.
 * @param payment locked
 * @param captured minor units
 */
export async function recordReportedPayment(tx: Transaction, payment: Payment, captured: number): Promise<void> {
  if (payment.captured > 0) return;
  if (await isChargeUndone(tx, payment)) {
    await recordRefundNews(tx, payment.id, [], captured);
    return;
  }
  await tx
    .update(payments)
    .set({ paidReportedAt: sql`now()` })
    .where(eq(payments.id, payment.id));
  await retryParkedCharge(tx, payment);
}

/**
 * Retries the charge of a parked order if the provider has reported that it is paid. Called for each of the two, because either
 * may come first.
 */
export async function retryPaidCharge(tx: Transaction, ref: OrderRef): Promise<void> {
  // Locked by both, so that each sees what the other has written.
  const [payment] = await tx.select().from(payments).where(isOf(payments, ref)).for('update');
  if (payment?.paidReportedAt) await retryParkedCharge(tx, ref);
}

async function retryParkedCharge(tx: Transaction, ref: OrderRef): Promise<void> {
  const [parked] = await tx
    .select({ id: failures.id, occurrence: failures.occurrence })
    .from(failures)
    .where(
      and(isOf(failures, ref), eq(failures.kind, 'step'), eq(failures.step, 'charge'), eq(failures.status, 'open')),
    )
    .for('update');
  if (!parked) return;
  const { id: failureId, occurrence } = parked;
  const reason = 'The provider reports that the payment has succeeded.';
  await tx.update(failures).set({ status: 'retrying' }).where(eq(failures.id, failureId));
  await recordFailureEvent(tx, failureId, 'retry_requested', { actor: HOLDFAST, reason });
  await enqueueCommand(tx, {
    type: 'resolve_failure',
    orderId: ref.orderId,
    message: { failureId, occurrence, action: 'retry', actor: HOLDFAST },
  });
}
