import { ApplicationFailure } from '@temporalio/common';
import { and, eq, isNull, sql } from 'drizzle-orm';
import { v7 as uuid } from 'uuid';
import { stepKey, type OrderRef } from '../contracts/ids.ts';
import type { Database } from '../db/client.ts';
import { setOrderStatus } from '../db/order-status.ts';
import { orders, payments, refunds } from '../db/schema.ts';
import { noAnswer, refused } from '../gateways/failures.ts';
import {
  StoredFailureError,
  UnexpectedStateError,
  type PaymentGateway,
  type PaymentIntent,
} from '../gateways/stripe.ts';
import { runCompensation, runStep } from './steps.ts';

export type PaymentActivities = ReturnType<typeof createPaymentActivities>;

type Payment = typeof payments.$inferSelect;

/** Money. The row in `payments` decides which intent may be confirmed; the provider decides what has been paid. */
export function createPaymentActivities({ db, gateway }: { db: Database; gateway: PaymentGateway }) {
  /** The payment of this generation, written before any money is asked for. */
  async function openPayment(ref: OrderRef): Promise<{ payment: Payment; method: string }> {
    const [order] = await db.select().from(orders).where(eq(orders.id, ref.orderId));
    if (!order) throw ApplicationFailure.create({ type: 'not_found', message: 'The order is not in the database.' });
    const { amount, currency, paymentMethod } = order;
    await db
      .insert(payments)
      .values({ id: uuid(), ...ref, state: 'pending', amount, currency })
      .onConflictDoNothing();
    const payment = await findPayment(ref);
    if (!payment) throw ApplicationFailure.create({ type: 'not_found', message: 'The payment is not in the database.' });
    return { payment, method: paymentMethod };
  }

  async function findPayment({ orderId, generation }: OrderRef): Promise<Payment | undefined> {
    const [payment] = await db
      .select()
      .from(payments)
      .where(and(eq(payments.orderId, orderId), eq(payments.generation, generation)));
    return payment;
  }

  /**
   * Finds or creates the one intent of a payment. Two attempts at once may create two; only the one that is written down
   * first is ever confirmed, and none once the payment is cancelled.
   */
  async function claimIntent(ref: OrderRef, payment: Payment, method: string): Promise<PaymentIntent> {
    if (payment.providerPaymentId) return await gateway.retrieveIntent(payment.providerPaymentId);
    const created = await gateway.createIntent(keyOf(ref, 'charge', payment), {
      amount: payment.amount,
      currency: payment.currency,
      method,
      metadata: { orderId: ref.orderId, generation: String(ref.generation) },
    });
    await db
      .update(payments)
      .set({ providerPaymentId: created.id })
      .where(and(eq(payments.id, payment.id), eq(payments.state, 'pending'), isNull(payments.providerPaymentId)));
    const claimed = (await findPayment(ref))?.providerPaymentId;
    if (!claimed) throw noAnswer('payment', 'The payment was cancelled meanwhile.');
    return claimed === created.id ? created : await gateway.retrieveIntent(claimed);
  }

  /** A key under which the provider has stored a failure is of no more use: the next attempt asks under a new one. */
  async function withFreshKeys<Result>(payment: Payment, ask: () => Promise<Result>): Promise<Result> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof StoredFailureError) {
        await db
          .update(payments)
          .set({ keySerial: payment.keySerial + 1 })
          .where(and(eq(payments.id, payment.id), eq(payments.keySerial, payment.keySerial)));
        throw noAnswer('payment', 'The payment provider repeats a stored failure.');
      }
      if (error instanceof UnexpectedStateError) {
        throw noAnswer('payment', 'The payment changed while it was asked for.');
      }
      throw error;
    }
  }

  return {
    /** Takes the money, once per generation of an order. @throws ApplicationFailure `card_declined` */
    async chargePayment(ref: OrderRef): Promise<void> {
      await runStep(db, ref, 'charge', async (commit) => {
        const { payment, method } = await openPayment(ref);
        const paid = await withFreshKeys(payment, async () => {
          const intent = await claimIntent(ref, payment, method);
          if (intent.status === 'succeeded' || intent.status === 'processing') return intent;
          return await gateway.confirmIntent(keyOf(ref, 'charge:confirm', payment), intent.id, method);
        });
        if (paid.status === 'processing') throw noAnswer('payment', 'The payment is still being processed.');
        if (paid.status !== 'succeeded') {
          throw refused('card_declined', `The payment cannot be taken without the customer (${paid.status}).`);
        }
        await commit(async (tx) => {
          await tx
            .update(payments)
            .set({ state: 'captured', captured: paid.received, capturedAt: sql`now()` })
            .where(eq(payments.id, payment.id));
          await setOrderStatus(tx, ref, 'charged');
          return { payment: paid.id, captured: paid.received };
        });
      });
    },

    /** Gives back what was taken, whatever is known here of it: the provider is asked. What was not taken is cancelled for good. */
    async refundPayment(ref: OrderRef): Promise<void> {
      await runCompensation(db, ref, 'charge', async (commit) => {
        // An attempt that has not written down its payment, or its intent, yet will find it cancelled, and stop. So the
        // payment is written here if it is not there: else an attempt that is late would open it, and take the money.
        await openPayment(ref);
        await db
          .update(payments)
          .set({ state: 'cancelled' })
          .where(
            and(
              eq(payments.orderId, ref.orderId),
              eq(payments.generation, ref.generation),
              isNull(payments.providerPaymentId),
            ),
          );
        const payment = await findPayment(ref);
        if (!payment?.providerPaymentId) return await commit(() => Promise.resolve({ refunded: 0 }));

        const intentId = payment.providerPaymentId;
        const { state, captured, given } = await withFreshKeys(payment, async () => {
          const intent = await gateway.retrieveIntent(intentId);
          if (intent.status === 'processing') throw noAnswer('payment', 'The payment is still being processed.');
          if (intent.status !== 'succeeded') {
            if (intent.status !== 'canceled') await gateway.cancelIntent(keyOf(ref, 'charge:cancel', payment), intentId);
            const declined = intent.status === 'requires_payment_method';
            return { state: declined ? ('declined' as const) : ('cancelled' as const), captured: 0, given: [] };
          }
          const before = await gateway.listRefunds(intentId);
          const remaining = intent.received - sum(before);
          const refunded = { state: 'refunded' as const, captured: intent.received };
          if (remaining <= 0) return { ...refunded, given: before };
          const refund = await gateway.refund(keyOf(ref, 'refund', payment), intentId, remaining);
          return { ...refunded, given: [...before, refund] };
        });
        await commit(async (tx) => {
          for (const { id, amount } of given) {
            await tx
              .insert(refunds)
              .values({ providerRefundId: id, paymentId: payment.id, amount })
              .onConflictDoNothing();
          }
          const refunded = sum(given);
          await tx
            .update(payments)
            .set({ state, captured, refunded })
            .where(eq(payments.id, payment.id));
          return { payment: intentId, refunded };
        });
      });
    },
  };
}

const sum = (amounts: { amount: number }[]): number => amounts.reduce((total, { amount }) => total + amount, 0);

const keyOf = (ref: OrderRef, step: string, { keySerial }: Payment): string =>
  keySerial === 1 ? stepKey(ref, step) : `${stepKey(ref, step)}:${keySerial}`;
