import { randomBytes } from 'node:crypto';
import { and, eq } from 'drizzle-orm';
import { Stripe } from 'stripe';
import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { payments, refunds, webhookEvents } from '../../src/db/schema.ts';
import { STRIPE_WEBHOOK_SECRET } from '../support/shop.ts';
import { call, OLD_WEBHOOK_SECRET, placeOrder, startTestApi, type TestApi } from './support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

let serial = 0;
const newId = (prefix: string) => `${prefix}_${(serial += 1)}`;

interface How {
  secret?: string;
  /** seconds since 1970 */
  at?: number;
  tamper?: string;
}

const now = () => Math.floor(Date.now() / 1_000);

/** Sends a text as Stripe does. */
const sendText = (text: string, { secret = STRIPE_WEBHOOK_SECRET, at = now(), tamper = '' }: How = {}) =>
  call(api, 'POST', '/v1/webhooks/stripe', {
    text: text + tamper,
    headers: {
      'Stripe-Signature': Stripe.webhooks.generateTestHeaderString({ payload: text, secret, timestamp: at }),
    },
  });

const event = (type: string, object: object, id = newId('evt')) => ({ id, object: 'event', created: now(), type, data: { object } });

const send = (body: object, how?: How) => sendText(JSON.stringify(body), how);

/** @returns the id at the provider of the captured payment of a new order */
async function capturedPayment(): Promise<string> {
  const orderId = await placeOrder(api);
  const providerPaymentId = newId('pi');
  await api.db
    .insert(payments)
    .values({ id: uuid(), orderId, generation: 1, state: 'captured', providerPaymentId, amount: 3_680, captured: 3_680, currency: 'EUR' });
  return providerPaymentId;
}

const refund = (intent: string, status: string, amount = 3_680, id = newId('re')) => ({
  id,
  object: 'refund',
  amount,
  status,
  payment_intent: intent,
});

async function paymentOf(intent: string) {
  const [payment] = await api.db.select().from(payments).where(eq(payments.providerPaymentId, intent));
  return payment;
}

const stored = (id: string) =>
  api.db.$count(webhookEvents, and(eq(webhookEvents.source, 'stripe'), eq(webhookEvents.eventId, id)));

describe('the payment provider', () => {
  it('reports a refund, which then counts', async () => {
    const intent = await capturedPayment();
    const { status, body } = await send(event('refund.created', refund(intent, 'succeeded', 1_000)));
    expect({ status, body }).toEqual({ status: 200, body: { received: true } });
    expect(await paymentOf(intent)).toMatchObject({ state: 'captured', refunded: 1_000 });
  });

  it('must send an id and a type that can be stored', async () => {
    const whole = event('refund.updated', refund(await capturedPayment(), 'succeeded'));
    for (const id of [randomBytes(3_000).toString('hex'), 'evt\0']) {
      expect(await send({ ...whole, id })).toMatchObject({ status: 422, body: { errors: [{ pointer: '/id' }] } });
    }
    expect(await send({ ...whole, type: 'refund\0' })).toMatchObject({ status: 422, body: { errors: [{ pointer: '/type' }] } });
    expect(await stored(whole.id)).toBe(0);
  });

  it('is believed once per event, however often it sends it', async () => {
    const intent = await capturedPayment();
    const twice = event('refund.updated', refund(intent, 'succeeded'));
    const answers = await Promise.all([1, 2, 3].map(() => send(twice)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await stored(twice.id)).toBe(1);
    expect(await paymentOf(intent)).toMatchObject({ state: 'refunded', refunded: 3_680 });
  });

  it.each([
    ['in order', ['pending', 'succeeded', 'failed']],
    ['in reverse', ['failed', 'succeeded', 'pending']],
    ['mixed up', ['succeeded', 'failed', 'pending', 'succeeded']],
  ])('may report what became of a refund %s', async (_, statuses) => {
    const intent = await capturedPayment();
    const { id } = refund(intent, 'pending');
    for (const status of statuses) await send(event('refund.updated', refund(intent, status, 3_680, id)));
    expect(await api.db.select().from(refunds).where(eq(refunds.providerRefundId, id))).toMatchObject([{ status: 'failed' }]);
    expect(await paymentOf(intent)).toMatchObject({ state: 'captured', refunded: 0 });
  });

  it('may report a refund before its payment is known to be captured', async () => {
    const intent = await capturedPayment();
    await api.db.update(payments).set({ state: 'pending', captured: 0 }).where(eq(payments.providerPaymentId, intent));
    expect((await send(event('refund.created', refund(intent, 'succeeded')))).status).toBe(200);
    expect(await paymentOf(intent)).toMatchObject({ state: 'pending', captured: 0, refunded: 0 });
  });

  it.each([
    ['a type that we do not know', 'customer.created', { id: 'cus_1' }],
    ['a type that is no word of ours', 'constructor', {}],
    ['a payment that is not ours', 'refund.created', refund('pi_of_another_shop', 'succeeded')],
    ['a refund without a payment intent', 'refund.created', { ...refund('', 'succeeded'), payment_intent: null }],
  ])('is answered with 200 for %s, so that it does not send it for days', async (_, type, object) => {
    const body = event(type, object);
    expect((await send(body)).status).toBe(200);
    expect(await stored(body.id)).toBe(1);
  });

  it.each<[string, How]>([
    ['signs with another secret', { secret: 'whsec_another' }],
    ['sends an event that was signed 6 minutes ago', { at: now() - 360 }],
    ['changes the body after signing', { tamper: ' ' }],
  ])('is not believed when it %s', async (_, how) => {
    const intent = await capturedPayment();
    const body = event('refund.created', refund(intent, 'succeeded'));
    const answer = await send(body, how);
    expect(answer.status).toBe(401);
    expect(answer.body).toMatchObject({ type: 'urn:holdfast:problem:invalid-signature' });
    expect(await stored(body.id)).toBe(0);
    expect(await paymentOf(intent)).toMatchObject({ refunded: 0 });
  });

  it('may still sign with the old secret while it is rotated', async () => {
    const intent = await capturedPayment();
    const body = event('refund.created', refund(intent, 'succeeded'));
    expect((await send(body, { secret: OLD_WEBHOOK_SECRET })).status).toBe(200);
    expect(await paymentOf(intent)).toMatchObject({ refunded: 3_680 });
  });

  it('is refused without a signature', async () => {
    const { status } = await call(api, 'POST', '/v1/webhooks/stripe', { body: event('refund.created', {}) });
    expect(status).toBe(401);
  });

  it('must send an event', async () => {
    expect((await sendText('{"id":"evt_incomplete"}')).status).toBe(422);
    expect((await sendText('no JSON')).status).toBe(400);
  });

  // Last: the server closes the connection, because it does not read the rest.
  it('may send long evidence, but no more than 512 kB', async () => {
    expect((await send(event('customer.updated', { evidence: 'x'.repeat(150_000) }))).status).toBe(200);
    expect((await send(event('customer.updated', { evidence: 'x'.repeat(600_000) }))).status).toBe(413);
  });
});
