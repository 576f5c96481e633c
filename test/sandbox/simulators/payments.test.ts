import { Stripe } from 'stripe';
import { describe, expect, test, vi } from 'vitest';
import { errorOf, secretKey, startPayments, startReceiver, stripeClient, temporaryFile } from './support.ts';

const order = { amount: 1999, currency: 'eur', metadata: { order: '1' } };
const paid = { ...order, payment_method: 'pm_card_visa', confirm: true };

async function start(options: Parameters<typeof startPayments>[0] = {}) {
  const simulator = await startPayments(options);
  const types = () => simulator.ledger().map(({ type }) => type);
  return { simulator, stripe: stripeClient(simulator.url), types };
}

const idOf = (charge: string | Stripe.Charge | null): string => (typeof charge === 'string' ? charge : '');

describe('payment intents', () => {
  test('that are confirmed at creation succeed, and the ledger records the charge', async () => {
    const { stripe, simulator } = await start();
    const intent = await stripe.paymentIntents.create(paid, { idempotencyKey: 'order:1' });
    expect(intent).toMatchObject({ status: 'succeeded', amount: 1999, amount_received: 1999, metadata: { order: '1' } });
    expect(intent.lastResponse.requestId).toMatch(/^req_/);
    expect(await stripe.paymentIntents.retrieve(intent.id)).toMatchObject({ id: intent.id, status: 'succeeded' });
    expect(await stripe.charges.retrieve(idOf(intent.latest_charge))).toMatchObject({ paid: true, payment_intent: intent.id });
    const fact = { idempotencyKey: 'order:1', amount: 1999, currency: 'eur', paymentIntent: intent.id, metadata: { order: '1' } };
    expect(simulator.ledger()).toMatchObject([
      { seq: 1, type: 'payment_intent.created', ...fact },
      { seq: 2, type: 'charge.created', ...fact },
      { seq: 3, type: 'payment_intent.succeeded', ...fact },
      { seq: 4, type: 'idempotency.stored', key: 'order:1' },
    ]);
    expect(await (await fetch(`${simulator.url}/_sandbox/ledger`)).json()).toEqual({ entries: simulator.ledger() });
  });

  test('can be limited to cards', async () => {
    const { stripe } = await start();
    const intent = await stripe.paymentIntents.create({ ...order, allowed_payment_method_types: ['card'] });
    expect(intent).toMatchObject({ allowed_payment_method_types: ['card'], payment_method_types: ['card'] });
  });

  test('go through their states in order', async () => {
    const { stripe } = await start();
    const { id, status } = await stripe.paymentIntents.create(order);
    expect(status).toBe('requires_payment_method');
    expect(await errorOf(stripe.paymentIntents.confirm(id))).toMatchObject({ statusCode: 400, code: 'payment_intent_unexpected_state' });
    expect((await stripe.paymentIntents.create({ ...order, payment_method: 'pm_card_visa' })).status).toBe('requires_confirmation');
    expect((await stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_mastercard' })).status).toBe('succeeded');
    expect(await errorOf(stripe.paymentIntents.confirm(id))).toMatchObject({ code: 'payment_intent_unexpected_state' });
    expect(await errorOf(stripe.paymentIntents.cancel(id))).toMatchObject({ code: 'payment_intent_unexpected_state' });
  });

  test('cannot be confirmed once cancelled', async () => {
    const { stripe, types } = await start();
    const { id } = await stripe.paymentIntents.create(order);
    expect(await stripe.paymentIntents.cancel(id, { cancellation_reason: 'abandoned' })).toMatchObject({ status: 'canceled' });
    expect(await errorOf(stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_visa' }))).toMatchObject({
      code: 'payment_intent_unexpected_state',
    });
    expect(types()).toEqual(expect.arrayContaining(['payment_intent.canceled']));
    expect(types()).not.toContain('charge.created');
  });

  test.each([
    ['pm_card_visa_chargeDeclined', 'card_declined', 'generic_decline'],
    ['pm_card_visa_chargeDeclinedInsufficientFunds', 'card_declined', 'insufficient_funds'],
    ['pm_card_chargeDeclinedExpiredCard', 'expired_card', 'expired_card'],
    ['pm_card_chargeDeclinedIncorrectCvc', 'incorrect_cvc', 'incorrect_cvc'],
    ['pm_card_chargeDeclinedProcessingError', 'processing_error', 'processing_error'],
  ])('with %s are declined, and another card can be tried', async (method, code, declineCode) => {
    const { stripe, types } = await start();
    const error = await errorOf(stripe.paymentIntents.create({ ...paid, payment_method: method }));
    expect(error).toBeInstanceOf(Stripe.errors.StripeCardError);
    expect(error).toMatchObject({ statusCode: 402, code, decline_code: declineCode, payment_intent: { status: 'requires_payment_method' } });
    const [intent] = (await stripe.paymentIntents.list()).data;
    expect(intent?.last_payment_error).toMatchObject({ code });
    expect(types()).not.toContain('charge.created');
    expect((await stripe.paymentIntents.confirm(String(intent?.id), { payment_method: 'pm_card_visa' })).status).toBe('succeeded');
  });

  test('are listed by when they were created', async () => {
    const { stripe } = await start();
    const { id, created } = await stripe.paymentIntents.create({ amount: 500, currency: 'eur' });
    const found = async (when: Stripe.RangeQueryParam | number) => (await stripe.paymentIntents.list({ created: when })).data.map((intent) => intent.id);
    expect(await found({ gte: created, lte: created })).toEqual([id]);
    expect(await found(created)).toEqual([id]);
    expect(await found({ gt: created })).toEqual([]);
    expect(await found({ lt: created })).toEqual([]);
  });

  test('are listed newest first, page by page', async () => {
    const { stripe } = await start();
    const ids: string[] = [];
    for (let amount = 100; amount < 105; amount += 1) ids.unshift((await stripe.paymentIntents.create({ ...order, amount })).id);
    const first = await stripe.paymentIntents.list({ limit: 2 });
    expect([first.data.map(({ id }) => id), first.has_more]).toEqual([ids.slice(0, 2), true]);
    const rest = await stripe.paymentIntents.list({ limit: 3, starting_after: String(ids[1]) });
    expect([rest.data.map(({ id }) => id), rest.has_more]).toEqual([ids.slice(2), false]);
  });
});

describe('refunds', () => {
  test('can be partial, and never exceed the charge', async () => {
    const { stripe, simulator } = await start();
    const { id, latest_charge: charge } = await stripe.paymentIntents.create(paid);
    const part = await stripe.refunds.create({ payment_intent: id, amount: 1000, reason: 'requested_by_customer' });
    expect(await stripe.refunds.retrieve(part.id)).toMatchObject({ amount: 1000, status: 'succeeded', payment_intent: id });
    expect(await errorOf(stripe.refunds.create({ payment_intent: id, amount: 1000 }))).toMatchObject({ statusCode: 400, param: 'amount' });
    await stripe.refunds.create({ payment_intent: id });
    expect(await errorOf(stripe.refunds.create({ payment_intent: id }))).toMatchObject({ code: 'charge_already_refunded' });
    expect((await stripe.refunds.list({ payment_intent: id })).data.map(({ amount }) => amount)).toEqual([999, 1000]);
    expect(await stripe.charges.retrieve(idOf(charge))).toMatchObject({ amount_refunded: 1999, refunded: true });
    expect(simulator.ledger().filter(({ type }) => type === 'refund.created')).toMatchObject([
      { amount: 1000, paymentIntent: id },
      { amount: 999, paymentIntent: id },
    ]);
  });

  test('that run concurrently never exceed the charge', async () => {
    const { stripe, simulator } = await start();
    const { id } = await stripe.paymentIntents.create(paid);
    simulator.faults.set({ mode: 'slow', delayMs: 5 });
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => stripe.refunds.create({ payment_intent: id, amount: 900 })));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
  });

  test('of an unpaid intent are refused', async () => {
    const { stripe } = await start();
    const { id } = await stripe.paymentIntents.create(order);
    expect(await errorOf(stripe.refunds.create({ payment_intent: id }))).toMatchObject({ statusCode: 400 });
  });
});

describe('what the bank does later', () => {
  test.each([
    ['pm_card_pendingRefund', 'pending', 'succeeded', 'refund.updated', 1999],
    ['pm_card_refundFail', 'succeeded', 'failed', 'refund.failed', 0],
  ])('a refund of %s is %s, then %s', async (method, begins, becomes, event, refunded) => {
    const receiver = await startReceiver();
    const { stripe } = await start({ webhook: { url: receiver.url, secret: 'whsec_test' }, settleAfterMs: 0 });
    const { id, latest_charge: charge } = await stripe.paymentIntents.create({ ...paid, payment_method: method });
    const refund = await stripe.refunds.create({ payment_intent: id });
    expect(refund.status).toBe(begins);
    await receiver.wait(4);
    expect(receiver.types()).toContain(event);
    expect(await stripe.refunds.retrieve(refund.id)).toMatchObject({ status: becomes });
    expect(await stripe.charges.retrieve(idOf(charge))).toMatchObject({ amount_refunded: refunded });
  });

  test('a refund that failed can be asked for again', async () => {
    const { stripe, simulator } = await start();
    const { id } = await stripe.paymentIntents.create(paid);
    const first = await stripe.refunds.create({ payment_intent: id });
    simulator.bank.settleRefund(first.id, 'failed');
    expect(() => simulator.bank.settleRefund(first.id, 'succeeded')).toThrow(/cannot become succeeded/);
    expect((await stripe.refunds.create({ payment_intent: id })).amount).toBe(1999);
  });

  test('a disputed charge', async () => {
    const receiver = await startReceiver();
    const { stripe, simulator } = await start({ webhook: { url: receiver.url, secret: 'whsec_test' }, settleAfterMs: 0 });
    const { id } = await stripe.paymentIntents.create({ ...paid, payment_method: 'pm_card_createDispute' });
    await receiver.wait(2);
    const [dispute] = (await stripe.disputes.list({ payment_intent: id })).data;
    expect(dispute).toMatchObject({ amount: 1999, reason: 'fraudulent', status: 'needs_response' });
    simulator.bank.moveDispute(String(dispute?.id), 'under_review');
    simulator.bank.moveDispute(String(dispute?.id), 'won');
    await receiver.wait(4);
    expect(receiver.types().toSorted()).toEqual([
      'charge.dispute.closed',
      'charge.dispute.created',
      'charge.dispute.updated',
      'payment_intent.succeeded',
    ]);
    expect(await stripe.disputes.retrieve(String(dispute?.id))).toMatchObject({ status: 'won' });
  });
});

describe('invalid requests are refused', () => {
  test.each([
    ['an unknown parameter', 'amount=100&currency=eur&surprise=1', { code: 'parameter_unknown', param: 'surprise' }],
    ['an unknown nested parameter', 'amount=100&currency=eur&automatic_payment_methods[enabled]=true&automatic_payment_methods[x]=1', { code: 'parameter_unknown', param: 'automatic_payment_methods[x]' }],
    ['a parameter that Stripe has removed', 'amount=100&currency=eur&payment_method_types[]=card', { code: 'payment_method_types_no_longer_supported' }],
    ['parameters that exclude each other', 'amount=100&currency=eur&allowed_payment_method_types[]=card&automatic_payment_methods[enabled]=true', { code: 'parameters_exclusive' }],
    ['a missing parameter', 'currency=eur', { code: 'parameter_missing', param: 'amount' }],
    ['an amount of zero', 'amount=0&currency=eur', { code: 'parameter_invalid_integer', param: 'amount' }],
    ['an amount in words', 'amount=ten&currency=eur', { param: 'amount' }],
    ['an amount that is too small', 'amount=49&currency=eur', { code: 'amount_too_small', param: 'amount' }],
    ['an amount that is too large', 'amount=100000000&currency=eur', { code: 'amount_too_large', param: 'amount' }],
    ['an unknown payment method', 'amount=100&currency=eur&payment_method=pm_nobody', { code: 'resource_missing', param: 'payment_method' }],
  ])('%s', async (_what, body, error) => {
    const { simulator } = await start();
    const headers = { authorization: `Bearer ${secretKey}`, 'content-type': 'application/x-www-form-urlencoded' };
    const response = await fetch(`${simulator.url}/v1/payment_intents`, { method: 'POST', headers, body });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error', ...error } });
  });

  test('401 for a missing or wrong API key, 404 for an unknown object or route', async () => {
    const { simulator, stripe } = await start();
    expect((await fetch(`${simulator.url}/v1/payment_intents`)).status).toBe(401);
    expect(await errorOf(stripeClient(simulator.url, 'sk_test_other').paymentIntents.list())).toBeInstanceOf(Stripe.errors.StripeAuthenticationError);
    expect(await errorOf(stripe.paymentIntents.retrieve('pi_none'))).toMatchObject({ statusCode: 404, code: 'resource_missing' });
    expect(await errorOf(stripe.customers.list())).toMatchObject({ statusCode: 404 });
  });
});

describe('faults', () => {
  test.each(['down', 'error_before', 'rate_limit', 'drop_after_commit', 'slow'] as const)(
    '%s: after retries with the same key, the card is charged once',
    async (mode) => {
      const { simulator, stripe, types } = await start();
      simulator.faults.set({ mode, count: 3, ...(mode === 'slow' && { delayMs: 5 }) });
      const ask = () => stripe.paymentIntents.create(paid, { idempotencyKey: 'order:1' });
      const intent = await vi.waitFor(ask, { timeout: 20_000 });
      expect(intent.status).toBe('succeeded');
      expect(types().filter((type) => type === 'charge.created')).toHaveLength(1);
    },
  );

  test.each([
    ['down', Stripe.errors.StripeConnectionError, 0],
    ['error_before', Stripe.errors.StripeAPIError, 0],
    ['rate_limit', Stripe.errors.StripeRateLimitError, 0],
    ['drop_after_commit', Stripe.errors.StripeConnectionError, 1],
    ['error_after_commit', Stripe.errors.StripeAPIError, 1],
  ] as const)('%s: the official client throws %o', async (mode, type, charges) => {
    const { simulator, stripe, types } = await start();
    simulator.faults.set({ mode });
    const error = await errorOf(stripe.paymentIntents.create(paid, { idempotencyKey: 'order:1' }));
    expect(error).toBeInstanceOf(type);
    expect(Object(error).headers?.['retry-after']).toBe(mode === 'rate_limit' ? '1' : undefined);
    expect(types().filter((entry) => entry === 'charge.created')).toHaveLength(charges);
  });

  test('error_after_commit: the same key gets the same error even after the fault is cleared, as with Stripe', async () => {
    const { simulator, stripe, types } = await start();
    simulator.faults.set({ mode: 'error_after_commit', count: 1 });
    const ask = () => errorOf(stripe.paymentIntents.create(paid, { idempotencyKey: 'order:1' }));
    expect(await ask()).toMatchObject({ statusCode: 500 });
    expect(await ask()).toMatchObject({ statusCode: 500, headers: { 'idempotent-replayed': 'true' } });
    expect(types().filter((type) => type === 'charge.created')).toHaveLength(1);
  });

  test('a fault with an operation affects only that route', async () => {
    const { simulator, stripe } = await start();
    simulator.faults.set({ mode: 'error_before', operation: 'POST /v1/payment_intents/:id/confirm' });
    const { id } = await stripe.paymentIntents.create({ ...order, payment_method: 'pm_card_visa' });
    expect(await errorOf(stripe.paymentIntents.confirm(id))).toMatchObject({ statusCode: 500 });
    simulator.faults.clear();
    expect((await stripe.paymentIntents.confirm(id)).status).toBe('succeeded');
  });

  test('closing drops a slow request without executing it', async () => {
    const { simulator, stripe, types } = await start();
    simulator.faults.set({ mode: 'slow', delayMs: 600_000, count: 1 });
    const error = errorOf(stripe.paymentIntents.create(paid, { idempotencyKey: 'order:1' }));
    await expect.poll(() => simulator.faults.current).toBeNull();
    simulator.faults.set({ mode: 'down' }); // the client retries once by itself
    await simulator.close();
    expect(await error).toBeInstanceOf(Stripe.errors.StripeConnectionError);
    expect(types()).toEqual([]);
  });
});

test('a restart keeps objects, refunds and idempotency keys', async () => {
  const ledgerFile = temporaryFile();
  const before = await start({ ledgerFile });
  const { id } = await before.stripe.paymentIntents.create(paid, { idempotencyKey: 'order:1' });
  await before.stripe.refunds.create({ payment_intent: id, amount: 999 });
  await before.simulator.close();
  const { stripe } = await start({ ledgerFile });
  const replayed = await stripe.paymentIntents.create(paid, { idempotencyKey: 'order:1' });
  expect([replayed.id, replayed.lastResponse.headers['idempotent-replayed']]).toEqual([id, 'true']);
  expect((await stripe.refunds.create({ payment_intent: id })).amount).toBe(1000);
});

test('webhooks are signed like those of Stripe, and retried until accepted', async () => {
  const receiver = await startReceiver(500);
  const secret = 'whsec_test';
  const { stripe } = await start({ webhook: { url: receiver.url, secret } });
  const { id } = await stripe.paymentIntents.create(paid);
  await receiver.wait(2);
  await errorOf(stripe.paymentIntents.create({ ...paid, payment_method: 'pm_card_visa_chargeDeclined' }));
  await receiver.wait(3);
  await stripe.refunds.create({ payment_intent: id });
  await receiver.wait(5);
  const events = receiver.received.map(({ body, headers }) => stripe.webhooks.constructEvent(body, String(headers['stripe-signature']), secret));
  const types = events.map(({ type }) => type);
  expect(types.slice(0, 3)).toEqual(['payment_intent.succeeded', 'payment_intent.succeeded', 'payment_intent.payment_failed']);
  // Those of the refund are sent at once, each on a connection of its own.
  expect(types.slice(3).toSorted()).toEqual(['charge.refunded', 'refund.created']);
  expect(events[0]?.id).toBe(events[1]?.id);
  const refunded = events.find(({ type }) => type === 'charge.refunded');
  expect(refunded?.data.object).toMatchObject({ object: 'charge', payment_intent: id, amount_refunded: 1999 });
});
