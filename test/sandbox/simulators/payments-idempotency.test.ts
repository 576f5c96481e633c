import { createExpressApp } from 'stripe-stateful-mock';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { errorOf, secretKey, serve, startPayments, stripeClient } from './support.ts';

afterEach(() => {
  vi.useRealTimers();
});

// The mock logs every refused request to the console that exists when it is loaded.
vi.hoisted(() => vi.spyOn(console, 'error').mockReturnValue(undefined));

/** Sends one request. Returns the parts of the response that must not differ between providers. */
async function charge(url: string, key: string, body: string) {
  const response = await fetch(`${url}/v1/charges`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secretKey}`, 'idempotency-key': key, 'content-type': 'application/x-www-form-urlencoded' },
    body,
  });
  const answer: unknown = await response.json();
  return { status: response.status, replayed: response.headers.get('idempotent-replayed'), answer };
}

/** Picks the comparable fields of an answer, from the top level or from its `error`. */
function facts(answer: unknown) {
  const { error, ...rest }: Record<string, unknown> = Object(answer);
  const all: Record<string, unknown> = { ...rest, ...Object(error) };
  return Object.fromEntries(
    ['object', 'amount', 'currency', 'paid', 'status', 'type', 'code', 'message', 'param'].map((field) => [field, all[field]]),
  );
}

describe('answers like stripe-stateful-mock to', () => {
  const visa = 'amount=1999&currency=usd&source=tok_visa';
  test.each([
    ['the same request twice', visa, visa],
    ['the same parameters in another order', visa, 'source=tok_visa&currency=usd&amount=1999'],
    ['another amount under the same key', visa, 'amount=2000&currency=usd&source=tok_visa'],
    ['another parameter under the same key', visa, `${visa}&description=more`],
    ['a changed nested parameter', `${visa}&metadata[order]=1`, `${visa}&metadata[order]=2`],
    ['a decline twice', 'amount=1999&currency=usd&source=tok_chargeDeclined', 'amount=1999&currency=usd&source=tok_chargeDeclined'],
    ['another card after a decline', 'amount=1999&currency=usd&source=tok_chargeDeclined', visa],
    ['insufficient funds twice', 'amount=60&currency=usd&source=tok_chargeDeclinedInsufficientFunds', 'amount=60&currency=usd&source=tok_chargeDeclinedInsufficientFunds'],
    ['an expired card twice', 'amount=60&currency=usd&source=tok_chargeDeclinedExpiredCard', 'amount=60&currency=usd&source=tok_chargeDeclinedExpiredCard'],
  ])('%s', async (_what, first, second) => {
    const key = crypto.randomUUID();
    const [mock, simulator] = await Promise.all(
      [await serve(createExpressApp()), (await startPayments()).url].map(async (url) => {
        const one = await charge(url, key, first);
        const two = await charge(url, key, second);
        const summary = ({ status, replayed, answer }: typeof one) => ({ status, replayed, ...facts(answer) });
        return { first: summary(one), second: summary(two), sameAnswer: JSON.stringify(one.answer) === JSON.stringify(two.answer) };
      }),
    );
    expect(simulator).toEqual(mock);
  });
});

describe('follows the Stripe documentation where the mock does not', () => {
  const paid = { amount: 1999, currency: 'eur', payment_method: 'pm_card_visa', confirm: true };

  test('a key that was used for another endpoint is refused', async () => {
    const { url } = await startPayments();
    const stripe = stripeClient(url);
    const { id } = await stripe.paymentIntents.create(paid, { idempotencyKey: 'one' });
    expect(await errorOf(stripe.refunds.create({ payment_intent: id }, { idempotencyKey: 'one' }))).toMatchObject({
      statusCode: 400,
      type: 'StripeIdempotencyError',
    });
  });

  test('a repeated decline has the same payment intent', async () => {
    const { url, ledger } = await startPayments();
    const ask = () =>
      errorOf(stripeClient(url).paymentIntents.create({ ...paid, payment_method: 'pm_card_visa_chargeDeclined' }, { idempotencyKey: 'one' }));
    const first = await ask();
    const entries = ledger().length;
    expect(await ask()).toMatchObject({ statusCode: 402, raw: { payment_intent: { id: Object(first).payment_intent.id } }, headers: { 'idempotent-replayed': 'true' } });
    expect(ledger()).toHaveLength(entries);
  });

  test.each([
    ['401', async (url: string) => stripeClient(url, 'sk_test_other').paymentIntents.create(paid, { idempotencyKey: 'one' })],
    ['a validation error', async (url: string) => stripeClient(url).paymentIntents.create({ ...paid, amount: 0 }, { idempotencyKey: 'one' })],
  ])('%s is not stored', async (_what, refused) => {
    const { url } = await startPayments();
    await errorOf(refused(url));
    expect((await stripeClient(url).paymentIntents.create(paid, { idempotencyKey: 'one' })).status).toBe('succeeded');
  });

  test('of concurrent requests with one key, one executes and the others get idempotency_key_in_use', async () => {
    const { url, faults, ledger } = await startPayments();
    faults.set({ mode: 'slow', delayMs: 500 });
    const results = await Promise.allSettled(
      Array.from({ length: 5 }, () => stripeClient(url).paymentIntents.create(paid, { idempotencyKey: 'one' })),
    );
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    for (const { reason } of refused) expect(reason).toMatchObject({ statusCode: 409, code: 'idempotency_key_in_use' });
    expect(ledger().filter(({ type }) => type === 'charge.created')).toHaveLength(1);
  });

  test('a key may have up to 255 characters', async () => {
    const { url } = await startPayments();
    const create = (idempotencyKey: string) => stripeClient(url).paymentIntents.create(paid, { idempotencyKey });
    await create('k'.repeat(255));
    expect(await errorOf(create('k'.repeat(256)))).toMatchObject({ statusCode: 400 });
  });

  test('a key expires after 24 hours', async () => {
    const { url } = await startPayments();
    const create = () => stripeClient(url).paymentIntents.create(paid, { idempotencyKey: 'one' });
    const first = await create();
    const hour = 60 * 60 * 1000;
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 23 * hour });
    expect((await create()).id).toBe(first.id);
    vi.setSystemTime(Date.now() + 1 * hour + 1000);
    expect((await create()).id).not.toBe(first.id);
  });
});
