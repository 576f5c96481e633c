import { and, eq, sql } from 'drizzle-orm';
import type { Stripe } from 'stripe';
import type { Database, Transaction } from '../db/client.ts';
import { payments, sagaSteps, webhookEvents } from '../db/schema.ts';
import { statement, transaction } from '../db/transaction.ts';
import { recordDispute } from '../records/disputes.ts';
import { recordRefundNews, type Payment } from '../records/refunds.ts';
import { recordReportedPayment } from '../records/reported-payments.ts';
import { isUndisturbed } from '../records/saga-steps.ts';
import { storeWebhookEvent } from '../records/webhook-events.ts';
import { newsOf, type PaymentNews } from './stripe-events.ts';

/** `ignored`: a type that we do not act on. `unknown_payment`: not one of our payments. */
export type PaymentWebhookOutcome = 'accepted' | 'duplicate' | 'ignored' | 'unknown_payment';

/**
 * Stores an event of the payment provider once, however often it is sent, and records what it says. Events come in any
 * order: what each leads to depends on what its object says and on what is recorded, never on the events before it.
 */
export async function recordPaymentWebhook(db: Database, event: Stripe.Event): Promise<PaymentWebhookOutcome> {
  return (await recordUsual(db, event)) ? 'accepted' : await recordAny(db, event);
}

/**
 * The usual case in one statement: a payment succeeds while its order is being charged. It locks the step, so that its order
 * does not park meanwhile (see `recordReportedPayment`).
 * @returns false if it is another case, or the event is stored already. Then nothing was written
 */
async function recordUsual(db: Database, event: Stripe.Event): Promise<boolean> {
  const { what, providerPaymentId } = newsOf(event) ?? {};
  if (what !== 'paid' || providerPaymentId === undefined) return false;
  const { rowCount } = await statement(db, () =>
    db.execute(sql`
      with
        charging as (
          select ${payments.id} from ${sagaSteps} join ${payments} on ${isCharge}
          where ${eq(payments.providerPaymentId, providerPaymentId)} and ${eq(payments.captured, 0)} and ${isUndisturbed}
          for no key update of ${sagaSteps}
        ),
        stored as (
          insert into ${webhookEvents} (source, event_id, type) select 'stripe', ${event.id}, ${event.type} from charging
          on conflict do nothing returning event_id
        )
      update ${payments} set paid_reported_at = now() where id in (select id from charging) and exists (select from stored)`),
  );
  return rowCount === 1;
}

/** Joins a payment with the step that makes it. */
const isCharge = and(
  eq(sagaSteps.orderId, payments.orderId),
  eq(sagaSteps.generation, payments.generation),
  eq(sagaSteps.step, 'charge'),
  eq(sagaSteps.kind, 'step'),
);

const recordAny = (db: Database, event: Stripe.Event): Promise<PaymentWebhookOutcome> =>
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
      await recordRefundNews(tx, payment.id, [news.refund]);
      return;
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
