import { ApplicationFailure } from '@temporalio/common';
import { and, eq, isNull, sql, type SQL } from 'drizzle-orm';
import { REFUND_PENDING } from '../contracts/errors.ts';
import { stepKey, type OrderRef } from '../contracts/ids.ts';
import type { RefundInput } from '../contracts/messages.ts';
import { sumOf } from '../contracts/money.ts';
import { hasFailed, isUnderWay } from '../contracts/statuses.ts';
import type { Database, Transaction } from '../db/client.ts';
import { failures, orders, payments } from '../db/schema.ts';
import { transaction } from '../db/transaction.ts';
import { noAnswer, refused } from '../gateways/errors.ts';
import {
  StoredFailureError,
  UnexpectedStateError,
  type PaymentGateway,
  type PaymentIntent,
  type ProviderRefund,
} from '../gateways/stripe.ts';
import { failAgain, isStill } from '../records/failures.ts';
import { newId } from '../records/new-id.ts';
import { isOf } from '../records/order-rows.ts';
import { recordRefundNews, recordRefunds, type Payment } from '../records/refunds.ts';
import { errorDetails, unlessAway } from './attempts.ts';
import { beginCall, lockCall, recordAnswered, recordUnanswered } from './calls.ts';
import { stopIfCancelled, unlessCancelled } from './cancellation.ts';
import { notInDatabase, toApplicationFailure } from './errors.ts';
import { isCommitting } from './step-commit.ts';
import { defineStep } from './steps.ts';

export type PaymentActivities = ReturnType<typeof createPaymentActivities>;

/** Payments. The row in `payments` decides which intent may be confirmed. The provider decides what has been paid. */
export function createPaymentActivities({ db, gateway }: { db: Database; gateway: PaymentGateway }) {
  const charge = defineStep(db, 'charge');

  /** Creates the payment of this generation, unless there is one. */
  async function openPayment({ orderId, generation }: OrderRef): Promise<void> {
    await db.execute(sql`
      insert into ${payments} (id, order_id, generation, state, amount, currency)
      select ${newId()}::uuid, id, ${generation}::int, 'pending', amount, currency from ${orders} where ${eq(orders.id, orderId)}
      on conflict (order_id, generation) do nothing`);
  }

  async function findPayment(ref: OrderRef): Promise<Payment | undefined> {
    const [payment] = await db.select().from(payments).where(isOf(payments, ref));
    return payment;
  }

  /**
   * Finds or creates the one intent of a payment. Two attempts at once may create two intents, but only the one stored first
   * is ever confirmed, and none once the payment is cancelled.
   */
  async function claimIntent(ref: OrderRef, { amount, currency, method, keySerial, intentId }: ChargeFacts): Promise<PaymentIntent> {
    if (intentId) return await gateway.retrieveIntent(intentId);
    const created = await gateway.createIntent(keyOf(ref, 'charge', { keySerial }), {
      amount,
      currency,
      method,
      metadata: { orderId: ref.orderId, generation: String(ref.generation) },
    });
    const [claimed] = await db
      .insert(payments)
      .values({ id: newId(), ...ref, state: 'pending', amount, currency, providerPaymentId: created.id })
      .onConflictDoUpdate({
        target: [payments.orderId, payments.generation],
        set: { providerPaymentId: sql`coalesce(${payments.providerPaymentId}, excluded.provider_payment_id)` },
        setWhere: sql`${payments.state} = 'pending' or ${payments.providerPaymentId} is not null`,
      })
      .returning({ intentId: payments.providerPaymentId });
    if (!claimed?.intentId) throw noAnswer('payment', 'The payment has been cancelled meanwhile.');
    return claimed.intentId === created.id ? created : await gateway.retrieveIntent(claimed.intentId);
  }

  /** The provider repeats a stored failure for the same key, so the next attempt uses a new key. */
  async function withFreshKeys<Result>(ref: OrderRef, keySerial: number, ask: () => Promise<Result>): Promise<Result> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof StoredFailureError) {
        await openPayment(ref);
        await db
          .update(payments)
          .set({ keySerial: keySerial + 1 })
          .where(and(isOf(payments, ref), eq(payments.keySerial, keySerial)));
        throw noAnswer('payment', 'The payment provider repeats a stored failure.');
      }
      if (error instanceof UnexpectedStateError) {
        throw noAnswer('payment', 'The payment changed during the request.');
      }
      throw error;
    }
  }

  /**
   * Refunds what the provider has captured, or cancels the payment for good.
   * @returns how it ended without money, or what was captured and every refund of it
   */
  async function undoPayment(
    ref: OrderRef,
    payment: Payment,
    intentId: string,
  ): Promise<{ state: 'declined' | 'cancelled' } | { captured: number; refunds: ProviderRefund[] }> {
    const intent = await gateway.retrieveIntent(intentId);
    if (intent.status === 'processing') throw noAnswer('payment', 'The payment is still being processed.');
    if (intent.status !== 'succeeded') {
      if (intent.status !== 'canceled') await gateway.cancelIntent(keyOf(ref, 'charge:cancel', payment), intentId);
      return { state: intent.status === 'requires_payment_method' ? 'declined' : 'cancelled' };
    }
    const before = await gateway.listRefunds(intentId);
    const failed = before.filter(({ status }) => hasFailed(status));
    const remaining = intent.received - sumOf(before.filter(({ status }) => !hasFailed(status)));
    if (remaining <= 0) return { captured: intent.received, refunds: before };
    // The provider would repeat the answer about a refund that has failed since, so each one after it has a key of its own.
    const keySerial = payment.keySerial + failed.length;
    await gateway.refund(keyOf(ref, 'refund', { keySerial }), intentId, remaining);
    return { captured: intent.received, refunds: await gateway.listRefunds(intentId) };
  }

  /** Refunds what was left with the provider. @returns every refund of the payment */
  async function refundLeft(ref: RefundInput, payment: Payment, intentId: string): Promise<ProviderRefund[]> {
    const before = await gateway.listRefunds(intentId);
    const given = sumOf(before.filter(({ status }) => !hasFailed(status)));
    // What a person has given back by hand is not in the provider's list.
    const left = payment.captured - Math.max(given, payment.refunded);
    if (left <= 0 || before.some(({ status }) => isUnderWay(status))) return before;
    await gateway.refund(keyOf(payment, `refund:${ref.failureId}:${ref.occurrence}:${left}`, payment), intentId, left);
    return await gateway.listRefunds(intentId);
  }

  return {
    /** Charges the customer, once for each generation of an order. @throws ApplicationFailure `card_declined` */
    async chargePayment(ref: OrderRef): Promise<void> {
      const charged = charge.run(ref, factsOf(ref), async (commit, { facts }) => {
        if (!facts) throw notInDatabase('order');
        const paid = await withFreshKeys(ref, facts.keySerial, async () => {
          const intent = await claimIntent(ref, facts);
          if (intent.status === 'succeeded' || intent.status === 'processing') return intent;
          stopIfCancelled();
          return await gateway.confirmIntent(keyOf(ref, 'charge:confirm', facts), intent.id, facts.method);
        });
        if (paid.status === 'processing') throw noAnswer('payment', 'The payment is still being processed.');
        if (paid.status !== 'succeeded') {
          throw refused('card_declined', `The payment needs action by the customer (${paid.status}).`);
        }
        await commit({ result: { payment: paid.id, captured: paid.received }, status: 'charged', writes: [capture(db, ref, paid.received)] });
      });
      await unlessCancelled(charged);
    },

    /**
     * Refunds what the provider has captured, whatever is recorded here. A payment that is not captured is cancelled for good.
     * Done once all of it has been given back: a refund that the provider has only taken may still fail.
     */
    async refundPayment(ref: OrderRef): Promise<void> {
      await charge.compensate(ref, async (commit) => {
        // A charge may still be in flight. Create the payment row if it is missing, and cancel it, so that a late charge stops
        // before it confirms.
        await openPayment(ref);
        await db
          .update(payments)
          .set({ state: 'cancelled' })
          .where(and(isOf(payments, ref), isNull(payments.providerPaymentId)));
        const payment = await findPayment(ref);
        if (!payment?.providerPaymentId) return await commit(() => Promise.resolve({ refunded: 0 }));

        const intentId = payment.providerPaymentId;
        const undone = await withFreshKeys(ref, payment.keySerial, () => undoPayment(ref, payment, intentId));
        if ('state' in undone) {
          return await commit(async (tx) => {
            await tx.update(payments).set({ state: undone.state }).where(eq(payments.id, payment.id));
            return { payment: intentId, refunded: 0 };
          });
        }
        const record = (tx: Transaction) => recordRefunds(tx, payment.id, undone.refunds, undone.captured);
        // Recorded even if it is not finished: the books then show what is under way.
        if (undone.refunds.some(({ status }) => isUnderWay(status))) {
          await transaction(db, record);
          throw refundPending();
        }
        await commit(async (tx) => {
          const { captured, refunded } = await record(tx);
          // It failed after it was listed. The next attempt refunds again.
          if (refunded < captured) throw noAnswer('payment', 'A refund has failed.');
          return { payment: intentId, refunded };
        });
      });
    },

    /**
     * Refunds again, because an operator has asked for it, what a failed refund left with the provider. Done once the money is
     * back, or once the refund has failed again or is refused: its failure is open again then.
     */
    async refundAgain(input: RefundInput): Promise<void> {
      const [found] = await db
        .select({ failure: failures, payment: payments })
        .from(failures)
        .innerJoin(payments, and(eq(payments.orderId, failures.orderId), eq(payments.generation, failures.generation)))
        .where(isStill(input));
      const intentId = found?.payment.providerPaymentId;
      // Otherwise it has been answered, or has failed again, meanwhile.
      if (!found || !intentId) return;
      const { payment, failure } = found;
      const { orderId, generation } = payment;
      const call = { orderId, generation, step: 'charge', kind: 'refund' } as const;
      const attempt = await beginCall(db, call);
      try {
        const all = await withFreshKeys(payment, payment.keySerial, () => refundLeft(input, payment, intentId));
        const isPending = all.some(({ status }) => isUnderWay(status));
        await transaction(db, async (tx) => {
          await lockCall(tx, call);
          // The refund may have failed without a report of it: then it is still owed.
          const error = await recordRefundNews(tx, payment.id, all);
          if (isPending) return;
          if (error) await recordUnanswered(tx, call, attempt, { type: 'failed', error });
          else await recordAnswered(tx, call, attempt);
        });
        if (isPending) throw refundPending();
      } catch (thrown) {
        const { nonRetryable, message: errorMessage } = toApplicationFailure(thrown);
        const error = errorDetails(thrown);
        if (!nonRetryable) {
          await unlessAway(() => transaction(db, (tx) => recordUnanswered(tx, call, attempt, { type: 'failed', error })));
          throw thrown;
        }
        await transaction(db, async (tx) => {
          await recordUnanswered(tx, call, attempt, { type: 'refused', error });
          await failAgain(tx, input, { errorType: failure.errorType, errorMessage }, 0);
        });
      }
    },
  };
}

/** What a charge has to know. */
interface ChargeFacts {
  /** Minor units. */
  amount: number;
  currency: string;
  method: string;
  keySerial: number;
  /** Of the intent that an earlier attempt has claimed. */
  intentId: string | null;
}

/** @param amount minor units */
const capture = (db: Database, ref: OrderRef, amount: number): SQL => {
  const update = db
    .update(payments)
    .set({ state: 'captured', captured: amount, capturedAt: sql`now()` })
    .where(and(isOf(payments, ref), isCommitting));
  return sql`captured as ${update}`;
};

/** Null if the order is not in the database. */
const factsOf = (ref: OrderRef) =>
  sql<ChargeFacts | null>`
    select jsonb_build_object(
      'amount', ${orders.amount}, 'currency', ${orders.currency}, 'method', ${orders.paymentMethod},
      'keySerial', coalesce(${payments.keySerial}, 1), 'intentId', ${payments.providerPaymentId}
    ) from ${orders} left join ${payments} on ${isOf(payments, ref)} where ${eq(orders.id, ref.orderId)}`;

const refundPending = (): ApplicationFailure =>
  ApplicationFailure.retryable('The provider has taken the refund, but not completed it yet.', REFUND_PENDING);

type ProviderRequest = 'charge' | 'charge:confirm' | 'charge:cancel' | 'refund' | `refund:${string}`;

/** @returns the idempotency key of a request to the provider */
const keyOf = (ref: OrderRef, request: ProviderRequest, { keySerial }: Pick<Payment, 'keySerial'>): string =>
  keySerial === 1 ? stepKey(ref, request) : `${stepKey(ref, request)}:${keySerial}`;
