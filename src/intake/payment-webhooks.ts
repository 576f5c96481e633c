import { eq } from 'drizzle-orm';
import type { Stripe } from 'stripe';
import type { Database, Transaction } from '../db/client.ts';
import { payments } from '../db/schema.ts';
import { transaction } from '../db/transaction.ts';
import { recordDispute } from '../records/disputes.ts';
import { recordRefundNews, type Payment } from '../records/refunds.ts';
import { recordReportedPayment } from '../records/reported-payments.ts';
import { storeWebhookEvent } from '../records/webhook-events.ts';
import { newsOf, type PaymentNews } from './stripe-events.ts';

/** `ignored`: a type that we do not act on. `unknown_payment`: not one of our payments. */
export type PaymentWebhookOutcome = 'accepted' | 'duplicate' | 'ignored' | 'unknown_payment';

/**
 * Stores an event of the payment provider once, however often it is sent, and records what it says. Events come in any
 * order: what each leads to depends on what its object says and on what is recorded, never on the events before it.
 */
export const recordPaymentWebhook = (db: Database, event: Stripe.Event): Promise<PaymentWebhookOutcome> =>
  transaction(db, async (tx) => {
    if (!(await storeWebhookEvent(tx, { source: 'stripe', eventId: event.id, type: event.type }))) return 'duplicate';
    const news = newsOf(event);
    if (!news) return 'ignored';
    const payment = await findPayment(tx, news);
    if (!payment) return 'unknown_payment';
    await record(tx, payment, news);
    return 'accepted';
  });

async function record(tx: Transaction, payment: Payment, news: PaymentNews): Promise<void> {
  switch (news.what) {
    case 'paid':
      return await recordReportedPayment(tx, payment, news.captured);
    case 'refund':
      return await recordRefundNews(tx, payment.id, [news.refund]);
    case 'dispute':
      return await recordDispute(tx, payment, news.dispute);
  }
}

/** Locks it, so that what is decided below still holds at the end of the transaction. */
async function findPayment(tx: Transaction, { providerPaymentId }: PaymentNews): Promise<Payment | undefined> {
  if (providerPaymentId === undefined) return undefined;
  const [payment] = await tx
    .select()
    .from(payments)
    .where(eq(payments.providerPaymentId, providerPaymentId))
    .for('update');
  return payment;
}
