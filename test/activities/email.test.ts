import { eq } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { emailKey } from '../../src/contracts/ids.ts';
import { isOrderTemplate, ORDER_EMAILS } from '../../src/contracts/templates.ts';
import { emails, failureEvents, failures, orders, verificationTokens } from '../../src/db/schema.ts';
import { acceptSignup } from '../../src/intake/signups.ts';
import { retryFailure } from '../../src/operate/failures.ts';
import { hashToken } from '../../src/records/tokens.ts';
import { openFailureOf } from '../support/failures.ts';
import { createShop, runActivity, type Shop } from '../support/shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await createShop();
});
afterAll(() => shop.close());
afterEach(() => shop.inbox.faults.clear());

/** An order with its own customer, so that its emails can be found. */
async function orderOf(name: string) {
  const email = `${name}@example.com`;
  return { email, ref: await shop.placeOrder({ customer: { email, name } }) };
}

const mailsTo = (email: string) => shop.inbox.messages({ to: email });

/** The failure of an order's confirmation, as it is once a retry was requested. @param order columns that have changed since */
async function askedFor(name: string, order: Partial<typeof orders.$inferInsert> = {}) {
  const { email, ref } = await orderOf(name);
  await shop.db.update(orders).set({ status: 'fulfilling', ...order }).where(eq(orders.id, ref.orderId));
  const key = emailKey(ref, { template: 'order_confirmed', occurrence: 1 });
  const failure = await openFailureOf(shop.db, ref, { kind: 'email', step: 'order_confirmed', emailKey: key });
  await retryFailure.perform(shop, failure.failureId, { reason: 'it is back' }, 'key:operator');
  const read = async () => (await shop.db.select().from(failures).where(eq(failures.id, failure.failureId)))[0];
  return { email, ref, failure, read };
}

describe('an email', () => {
  it('is not sent again once it is recorded', async () => {
    const { email, ref } = await orderOf('once');
    const { sendOrderEmail } = shop.activities();
    await runActivity(sendOrderEmail, ref, 'order_confirmed', 1);
    await runActivity(sendOrderEmail, ref, 'order_confirmed', 1);
    expect(mailsTo(email)).toMatchObject([{ copies: 1 }]);
  });

  it.each(['drop_after_commit', 'error_after_commit'] as const)(
    'that the server accepted without our knowing (%s) is the same email when it is sent again',
    async (mode) => {
      const { email, ref } = await orderOf(mode);
      shop.inbox.faults.set({ mode, count: 1 });
      const { sendOrderEmail } = shop.activities();
      await expect(runActivity(sendOrderEmail, ref, 'order_confirmed', 1)).rejects.toMatchObject({
        type: 'email_unavailable',
        nonRetryable: false,
      });
      await runActivity(sendOrderEmail, ref, 'order_confirmed', 1);
      expect(mailsTo(email)).toMatchObject([{ copies: 2 }]);
    },
  );

  it('is recorded once if two attempts send it at the same moment', async () => {
    const { email, ref } = await orderOf('twice');
    await Promise.all(
      [shop.activities(), shop.activities()].map((own) => runActivity(own.sendOrderEmail, ref, 'order_confirmed', 1)),
    );
    expect(mailsTo(email)).toHaveLength(1);
    expect(await shop.db.$count(emails, eq(emails.recipient, email))).toBe(1);
  });

  it('has a Message-ID that identifies the email, not the attempt', async () => {
    const { email, ref } = await orderOf('identity');
    const { sendOrderEmail } = shop.activities();
    for (const occurrence of [1, 2]) await runActivity(sendOrderEmail, ref, 'order_confirmed', occurrence);
    const ids = mailsTo(email).map(({ messageId }) => messageId);
    expect(new Set(ids).size).toBe(2);
    expect(ids).toEqual([expect.stringMatching(/^<[0-9a-f]{32}@holdfast\.example>$/), expect.any(String)]);
  });

  it('to an address that does not exist is not retried', async () => {
    const { ref } = await orderOf('bounce');
    const attempt = runActivity(shop.activities().sendOrderEmail, ref, 'order_confirmed', 1);
    await expect(attempt).rejects.toMatchObject({ type: 'invalid_request', nonRetryable: true });
    await expect(attempt).rejects.not.toThrow(/bounce@/);
    expect(await shop.db.$count(emails, eq(emails.orderId, ref.orderId))).toBe(0);
  });
});

describe('an email that an operator has asked for again', () => {
  it('is the same email as the first attempt, which the server may have accepted without our knowing', async () => {
    const { email, ref, failure, read } = await askedFor('resend');
    const { sendOrderEmail, resendEmail } = shop.activities();
    shop.inbox.faults.set({ mode: 'drop_after_commit', count: 2 });
    await expect(runActivity(sendOrderEmail, ref, 'order_confirmed', 1)).rejects.toMatchObject({ type: 'email_unavailable' });
    // A worker that dies before it has recorded the email leaves the same behind: an accepted email, and no row.
    await expect(runActivity(resendEmail, failure)).rejects.toMatchObject({ type: 'email_unavailable' });
    expect(await read()).toMatchObject({ status: 'retrying' });
    await runActivity(resendEmail, failure);
    expect(mailsTo(email)).toMatchObject([{ copies: 3 }]);
    expect(await read()).toMatchObject({ status: 'resolved' });
  });

  it('is not sent if it is recorded as sent, and its failure is resolved', async () => {
    const { email, ref, failure, read } = await askedFor('recorded', { status: 'completed' });
    const { sendOrderEmail, resendEmail } = shop.activities();
    await runActivity(sendOrderEmail, ref, 'order_confirmed', 1);
    await runActivity(resendEmail, failure);
    await runActivity(resendEmail, failure);
    expect(mailsTo(email)).toMatchObject([{ copies: 1 }]);
    expect(await read()).toMatchObject({ status: 'resolved' });
    const events = await shop.db.select().from(failureEvents).where(eq(failureEvents.failureId, failure.failureId));
    expect(events.filter(({ type }) => type === 'resolved')).toMatchObject([{ reason: 'The email has been sent.' }]);
  });

  it('is sent if its command is delivered only after its failure was opened again', async () => {
    const { email, failure, read } = await askedFor('late');
    await shop.db.update(failures).set({ status: 'open' }).where(eq(failures.id, failure.failureId));
    await runActivity(shop.activities().resendEmail, failure);
    expect(mailsTo(email)).toHaveLength(1);
    expect(await read()).toMatchObject({ status: 'resolved' });
  });

  it.each([
    ['has been delivered', { status: 'completed' }],
    ['is being undone', { status: 'compensating' }],
    ['was cancelled', { status: 'cancelled' }],
    ['was restarted', { generation: 2 }],
  ] as const)('is not sent if its order %s', async (name, order) => {
    const { email, failure, read } = await askedFor(name.replaceAll(' ', '-'), order);
    await runActivity(shop.activities().resendEmail, failure);
    expect(mailsTo(email)).toEqual([]);
    expect(await read()).toMatchObject({ status: 'resolved' });
  });

  it('is not sent if its failure was closed or has failed again meanwhile', async () => {
    const [closed, again] = [await askedFor('closed'), await askedFor('again')];
    await shop.db.update(failures).set({ status: 'cancelled' }).where(eq(failures.id, closed.failure.failureId));
    const { resendEmail, recordFailedResend } = shop.activities();
    const down = { errorType: 'email_unavailable', errorMessage: 'still down' };
    for (const { failure } of [closed, again]) {
      await runActivity(recordFailedResend, failure, down);
      await runActivity(recordFailedResend, failure, down);
      await runActivity(resendEmail, failure);
    }
    expect([...mailsTo(closed.email), ...mailsTo(again.email)]).toEqual([]);
    expect(await closed.read()).toMatchObject({ status: 'cancelled', occurrence: 1 });
    expect(await again.read()).toMatchObject({ status: 'open', occurrence: 2, errorMessage: 'still down' });
  });
});

describe('the link in an email', () => {
  const templates = Object.keys(ORDER_EMAILS).filter(isOrderTemplate);

  it.each(templates)('leads people to a page, not into the API: %s', async (template) => {
    const { email, ref } = await orderOf(`link-${template.replaceAll('_', '-')}`);
    await runActivity(shop.activities().sendOrderEmail, ref, template, 1);
    const isForCustomer = ORDER_EMAILS[template].to === 'customer';
    const [mail] = mailsTo(isForCustomer ? email : 'operations@holdfast.example');
    const path = /http:\/\/localhost:3000(\S*)/.exec(mail?.text ?? '')?.[1] ?? '';
    expect(mail?.text).not.toContain('/v1');
    expect(path).toMatch(isForCustomer ? new RegExp(`^/my/orders/${ref.orderId}/[\\w-]{43}$`) : new RegExp(`^/ops/orders/${ref.orderId}$`));
  });

  it('verifies an address', async () => {
    const email = 'link@example.com';
    const { made } = await acceptSignup(shop.db, shop.caller, {
      idempotencyKey: 'linked',
      requestHash: 'linked',
      signup: { email, name: 'Grace' },
    });
    await runActivity(shop.activities().sendSignupEmail, made.id, 'verification', 1);
    const [mail] = mailsTo(email);
    expect(mail?.text).not.toContain('/v1');
    expect(mail?.text).toMatch(new RegExp(`http://localhost:3000/my/signups/${made.id}/[\\w-]{43}$`, 'm'));
  });
});

describe('a verification email', () => {
  it('contains a token of which only the hash is stored', async () => {
    const email = 'token@example.com';
    const { made } = await acceptSignup(shop.db, shop.caller, {
      idempotencyKey: 'signup',
      requestHash: 'signup',
      signup: { email, name: 'Grace' },
    });
    await runActivity(shop.activities().sendSignupEmail, made.id, 'verification', 1);
    const [mail] = mailsTo(email);
    const token = /^[\w-]{43}$/m.exec(mail?.text ?? '')?.[0] ?? '';
    const stored = await shop.db.select().from(verificationTokens).where(eq(verificationTokens.signupId, made.id));
    expect(stored.map(({ hash }) => hash)).toEqual([hashToken(token)]);
  });
});
