import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { eq } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createPaymentActivities, type PaymentActivities } from '../../src/activities/payment.ts';
import type { OrderRef } from '../../src/contracts/ids.ts';
import { payments, refunds } from '../../src/db/schema.ts';
import { createPaymentGateway } from '../../src/gateways/stripe.ts';
import { expectSound } from '../support/audit.ts';
import { createShop, runActivity, type AsFunctions, type Shop } from '../support/shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await createShop();
});
afterAll(() => shop.close());
afterEach(() => shop.payments.faults.clear());

const CREATE = 'POST /v1/payment_intents';
const CONFIRM = 'POST /v1/payment_intents/:id/confirm';

/** Runs an activity until it succeeds, as Temporal would. @returns the error types of the failed attempts */
async function untilDone(activity: (ref: OrderRef) => Promise<unknown>, ref: OrderRef): Promise<unknown[]> {
  const types: unknown[] = [];
  for (let attempts = 0; attempts < 12; attempts += 1) {
    const [attempt] = await Promise.allSettled([runActivity(activity, ref)]);
    if (attempt.status === 'fulfilled') return types;
    types.push(attempt.reason instanceof Error && 'type' in attempt.reason ? attempt.reason.type : attempt.reason);
    if (attempt.reason instanceof Error && 'nonRetryable' in attempt.reason && attempt.reason.nonRetryable) return types;
  }
  return types;
}

/** @returns what the provider did for an order, oldest first */
const story = ({ orderId }: OrderRef): string[] => {
  const intents = new Set<string>();
  return shop.payments.ledger().flatMap((entry) => {
    if (!('paymentIntent' in entry) || entry.paymentIntent === null) return [];
    if ('metadata' in entry && entry.metadata['orderId'] === orderId) intents.add(entry.paymentIntent);
    return intents.has(entry.paymentIntent) && !entry.type.startsWith('charge.') ? [entry.type] : [];
  });
};

async function paymentOf({ orderId }: OrderRef) {
  const [payment] = await shop.db.select().from(payments).where(eq(payments.orderId, orderId));
  return payment;
}

/** @returns an order that was charged */
async function charged(method: string): Promise<OrderRef> {
  const ref = await shop.placeOrder({ payment: { method } });
  await runActivity(shop.activities().chargePayment, ref);
  return ref;
}

/** Runs one attempt that fails. @returns the type of its error */
async function attemptType(activity: (ref: OrderRef) => Promise<unknown>, ref: OrderRef): Promise<unknown> {
  const [attempt] = await Promise.allSettled([runActivity(activity, ref)]);
  return attempt.status === 'rejected' && attempt.reason instanceof Error && 'type' in attempt.reason ? attempt.reason.type : attempt;
}

async function refundsOf(ref: OrderRef) {
  const { id = '' } = (await paymentOf(ref)) ?? {};
  return await shop.db.select().from(refunds).where(eq(refunds.paymentId, id));
}

async function cancelled(ref: OrderRef): Promise<void> {
  await runActivity(shop.activities().endOrder, ref, { status: 'cancelled', type: 'order_cancelled', message: 'changed my mind' });
  await expectSound(shop, ref.orderId);
}

describe('chargePayment', () => {
  it('confirms one payment when two attempts run at the same moment', async () => {
    const ref = await shop.placeOrder();
    await Promise.allSettled([shop.activities(), shop.activities()].map((own) => runActivity(own.chargePayment, ref)));
    await untilDone(shop.activities().chargePayment, ref);
    const events = story(ref);
    expect(events.filter((type) => type === 'payment_intent.created').length).toBeLessThanOrEqual(2);
    expect(events.filter((type) => type === 'payment_intent.succeeded')).toHaveLength(1);
    expect(await paymentOf(ref)).toMatchObject({ state: 'captured', captured: 1780, refunded: 0 });
  });

  it('uses another key after the provider stored a failure for the first one', async () => {
    const ref = await shop.placeOrder();
    shop.payments.faults.set({ mode: 'error_after_commit', operation: CREATE, count: 1 });
    expect(await untilDone(shop.activities().chargePayment, ref)).toEqual(['payment_unavailable', 'payment_unavailable']);
    expect(story(ref)).toEqual(['payment_intent.created', 'payment_intent.created', 'payment_intent.succeeded']);
    expect(await paymentOf(ref)).toMatchObject({ state: 'captured', keySerial: 2 });
  });

  it('finds a payment whose confirmation took effect but was answered with an error', async () => {
    const ref = await shop.placeOrder();
    shop.payments.faults.set({ mode: 'error_after_commit', operation: CONFIRM, count: 1 });
    expect(await untilDone(shop.activities().chargePayment, ref)).toEqual(['payment_unavailable']);
    expect(story(ref)).toEqual(['payment_intent.created', 'payment_intent.succeeded']);
  });

  it.each([
    ['pm_card_visa_chargeDeclined', 'a declined card'],
    ['pm_card_chargeDeclinedExpiredCard', 'an expired card'],
    ['pm_card_unknown', 'an unknown payment method'],
  ])('is refused for %s at the first attempt', async (method) => {
    const ref = await shop.placeOrder({ payment: { method } });
    expect(await untilDone(shop.activities().chargePayment, ref)).toEqual(['card_declined']);
    expect(await untilDone(shop.activities().refundPayment, ref)).toEqual([]);
    expect(await paymentOf(ref)).toMatchObject({ captured: 0, refunded: 0 });
    await cancelled(ref);
  });
});

describe('refundPayment', () => {
  it('refunds what was captured if the answer to the charge was lost', async () => {
    const ref = await shop.placeOrder();
    // The client itself retries once when a connection breaks.
    shop.payments.faults.set({ mode: 'drop_after_commit', operation: CONFIRM });
    const [attempt] = await Promise.allSettled([runActivity(shop.activities().chargePayment, ref)]);
    expect(attempt).toMatchObject({ status: 'rejected', reason: { type: 'payment_unavailable' } });
    shop.payments.faults.clear();
    expect(await paymentOf(ref)).toMatchObject({ state: 'pending', captured: 0 });
    await runActivity(shop.activities().refundPayment, ref);
    expect(await paymentOf(ref)).toMatchObject({ state: 'refunded', captured: 1780, refunded: 1780 });
    await cancelled(ref);
  });

  it('cancels a payment that was not captured, so that it never can be', async () => {
    const ref = await shop.placeOrder();
    shop.payments.faults.set({ mode: 'down', operation: CONFIRM });
    await Promise.allSettled([runActivity(shop.activities().chargePayment, ref)]);
    shop.payments.faults.clear();
    await runActivity(shop.activities().refundPayment, ref);
    expect(story(ref)).toEqual(['payment_intent.created', 'payment_intent.canceled']);

    const gateway = createPaymentGateway({
      secretKey: shop.environment.STRIPE_SECRET_KEY,
      apiBase: shop.environment.STRIPE_API_BASE,
    });
    const { providerPaymentId } = (await paymentOf(ref)) ?? {};
    const late = gateway.confirmIntent('a late attempt', providerPaymentId ?? '', 'pm_card_visa');
    await expect(late).rejects.toThrow(/status of canceled/);
    await cancelled(ref);
  });

  it('has nothing to refund if the provider was never called', async () => {
    const ref = await shop.placeOrder();
    await runActivity(shop.activities().refundPayment, ref);
    expect(story(ref)).toEqual([]);
    await cancelled(ref);
  });

  it('refunds once, however often it is attempted', async () => {
    const ref = await shop.placeOrder();
    await runActivity(shop.activities().chargePayment, ref);
    shop.payments.faults.set({ mode: 'error_after_commit', operation: 'POST /v1/refunds', count: 1 });
    expect(await untilDone(shop.activities().refundPayment, ref)).toEqual(['payment_unavailable']);
    await runActivity(shop.activities().refundPayment, ref);
    expect(story(ref).filter((type) => type === 'refund.created')).toHaveLength(1);
    await cancelled(ref);
  });
});

describe('a refund that the provider completes later', () => {
  it('is waited for: it counts when it has succeeded', async () => {
    const ref = await charged('pm_card_pendingRefund');
    expect(await attemptType(shop.activities().refundPayment, ref)).toBe('refund_pending');
    expect(await attemptType(shop.activities().refundPayment, ref)).toBe('refund_pending');
    expect(await paymentOf(ref)).toMatchObject({ state: 'captured', captured: 1780, refunded: 0 });
    const [refund] = await refundsOf(ref);
    expect(refund).toMatchObject({ amount: 1780, status: 'pending' });

    shop.payments.bank.settleRefund(String(refund?.providerRefundId), 'succeeded');
    await runActivity(shop.activities().refundPayment, ref);
    expect(await paymentOf(ref)).toMatchObject({ state: 'refunded', captured: 1780, refunded: 1780 });
    expect(await refundsOf(ref)).toMatchObject([{ status: 'succeeded' }]);
    await cancelled(ref);
  });

  it.each(['failed', 'canceled'] as const)('is asked for again with another key if it has %s', async (status) => {
    const ref = await charged('pm_card_pendingRefund');
    for (let failures = 0; failures < 2; failures += 1) {
      expect(await attemptType(shop.activities().refundPayment, ref)).toBe('refund_pending');
      const pending = (await refundsOf(ref)).find((refund) => refund.status === 'pending');
      shop.payments.bank.settleRefund(String(pending?.providerRefundId), status);
    }
    expect(await attemptType(shop.activities().refundPayment, ref)).toBe('refund_pending');
    const all = await refundsOf(ref);
    expect(all.map((refund) => refund.status).toSorted()).toEqual([status, status, 'pending']);

    const last = all.find((refund) => refund.status === 'pending');
    shop.payments.bank.settleRefund(String(last?.providerRefundId), 'succeeded');
    await runActivity(shop.activities().refundPayment, ref);
    expect(await paymentOf(ref)).toMatchObject({ state: 'refunded', refunded: 1780 });
    await cancelled(ref);
  });

  it('is found among more than a hundred', async () => {
    const ref = await charged('pm_card_visa');
    const { providerPaymentId } = (await paymentOf(ref)) ?? {};
    const gateway = shop.gateways.payments;
    for (let serial = 1; serial <= 101; serial += 1) await gateway.refund(`part:${serial}`, String(providerPaymentId), 10);
    await runActivity(shop.activities().refundPayment, ref);
    expect(await paymentOf(ref)).toMatchObject({ state: 'refunded', refunded: 1780 });
    expect(await refundsOf(ref)).toHaveLength(102);
    await cancelled(ref);
  });
});

/** A proxy in front of the simulator. Stripe stores an error that occurs during execution, whether or not it took effect. */
async function startStubbornProvider(): Promise<string> {
  const stored = new Set<string>();
  const server = createServer((incoming, outgoing) => {
    const key = incoming.headers['idempotency-key'];
    if (typeof key === 'string' && !key.endsWith(':2')) {
      const isRepeated = stored.has(key);
      stored.add(key);
      incoming.resume();
      outgoing.writeHead(500, {
        'content-type': 'application/json',
        ...(isRepeated ? { 'idempotent-replayed': 'true' } : {}),
      });
      outgoing.end(JSON.stringify({ error: { type: 'api_error', message: 'stored' } }));
      return;
    }
    const { method, headers, url = '/' } = incoming;
    const onward = request(new URL(url, shop.payments.url), { ...(method ? { method } : {}), headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
}

/** The payment activities, with that provider. */
const stubbornActivities = async (): Promise<AsFunctions<PaymentActivities>> =>
  createPaymentActivities({
    db: shop.db,
    gateway: createPaymentGateway({
      secretKey: shop.environment.STRIPE_SECRET_KEY,
      apiBase: await startStubbornProvider(),
    }),
  });

describe('a provider that fails the first key of each request and repeats that answer', () => {
  it('charges once', async () => {
    const ref = await shop.placeOrder();
    await untilDone((await stubbornActivities()).chargePayment, ref);
    expect(story(ref)).toEqual(['payment_intent.created', 'payment_intent.succeeded']);
  });

  it('refunds the payment', async () => {
    const ref = await shop.placeOrder();
    await runActivity(shop.activities().chargePayment, ref);
    await untilDone((await stubbornActivities()).refundPayment, ref);
    expect(story(ref).at(-1)).toBe('refund.created');
    await cancelled(ref);
  });

  it('cancels the payment of a declined card', async () => {
    const ref = await shop.placeOrder({ payment: { method: 'pm_card_visa_chargeDeclined' } });
    await untilDone(shop.activities().chargePayment, ref);
    await untilDone((await stubbornActivities()).refundPayment, ref);
    expect(story(ref).at(-1)).toBe('payment_intent.canceled');
    await cancelled(ref);
  });
});
