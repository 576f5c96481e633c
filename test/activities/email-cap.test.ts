import { eq, sql } from 'drizzle-orm';
import { afterEach, describe, expect, it } from 'vitest';
import { emailKey, type OrderRef } from '../../src/contracts/ids.ts';
import type { OrderTemplate } from '../../src/contracts/templates.ts';
import { emails, failures, orders, payments } from '../../src/db/schema.ts';
import { acceptSignup } from '../../src/intake/signups.ts';
import { retryFailure } from '../../src/operate/failures.ts';
import { openFailureOf } from '../support/failures.ts';
import { createShop, runActivity, useShop } from '../support/shop.ts';

const CAP = 3;
const shop = await useShop({ environment: { EMAILS_PER_ADDRESS_AND_DAY: String(CAP) } });
afterEach(() => shop.inbox.faults.clear());

const orderOf = (email: string, at = shop): Promise<OrderRef> => at.placeOrder({ customer: { email, name: 'Ada' } });

/** Sends an email about an order, as its workflow does. @returns what became of it */
async function send(ref: OrderRef, template: OrderTemplate = 'order_failed', at = shop) {
  await runActivity(at.activities().sendOrderEmail, ref, template, 1);
  const key = emailKey(ref, { template, occurrence: 1 });
  return (await at.db.select().from(emails).where(eq(emails.key, key)))[0]?.status;
}

/** An address that has had as many emails as it may. */
async function cappedAddress(name: string): Promise<string> {
  const email = `${name}@example.com`;
  for (let sent = 0; sent < CAP; sent += 1) expect(await send(await orderOf(email))).toBe('sent');
  return email;
}

const arrived = (email: string) => shop.inbox.messages({ to: email }).length;

describe('an email beyond the cap of its address', () => {
  it('is not sent, is recorded as suppressed, and is no failure', async () => {
    const email = await cappedAddress('victim');
    const ref = await orderOf(email);
    expect(await send(ref)).toBe('suppressed');
    expect(arrived(email)).toBe(CAP);
    expect(await shop.db.select().from(emails).where(eq(emails.orderId, ref.orderId))).toMatchObject([{ recipient: email, subject: null }]);
    expect(await shop.db.$count(failures, eq(failures.orderId, ref.orderId))).toBe(0);
  });

  it('is suppressed however the address is written', async () => {
    await cappedAddress('written');
    expect(await send(await orderOf('Written@Example.COM'))).toBe('suppressed');
    expect(await send(await orderOf('another@example.com'))).toBe('sent');
  });

  it('stays suppressed when it is attempted again', async () => {
    const email = await cappedAddress('again');
    const ref = await orderOf(email);
    await send(ref);
    await shop.db.update(emails).set({ sentAt: sql`now() - interval '25 hours'` }).where(eq(emails.recipient, email));
    expect(await send(ref)).toBe('suppressed');
    expect(arrived(email)).toBe(CAP);
  });

  it('is sent once the earlier ones are a day old; suppressed ones do not count', async () => {
    const email = await cappedAddress('tomorrow');
    for (let more = 0; more < CAP; more += 1) expect(await send(await orderOf(email))).toBe('suppressed');
    await shop.db
      .update(emails)
      .set({ sentAt: sql`now() - interval '25 hours'` })
      .where(sql`recipient = ${email} and status = 'sent'`);
    expect(await send(await orderOf(email))).toBe('sent');
  });

  it('is suppressed even if all are sent at once', async () => {
    const email = 'at-once@example.com';
    const refs = await Promise.all(Array.from({ length: 40 }, () => orderOf(email)));
    const { sendOrderEmail } = shop.activities();
    await Promise.all(refs.map((ref) => runActivity(sendOrderEmail, ref, 'order_failed', 1)));
    expect(arrived(email)).toBe(CAP);
    expect(await shop.db.$count(emails, eq(emails.recipient, email))).toBe(40);
  });

  it('may be one that asks to verify the address', async () => {
    const email = await cappedAddress('signup');
    const { made } = await acceptSignup(shop.db, shop.caller, {
      idempotencyKey: crypto.randomUUID(),
      requestHash: 'test',
      signup: { email, name: 'Ada' },
    });
    await runActivity(shop.activities().sendSignupEmail, made.id, 'verification', 1);
    expect(await shop.db.select().from(emails).where(eq(emails.signupId, made.id))).toMatchObject([{ status: 'suppressed' }]);
    expect(arrived(email)).toBe(CAP);
  });

  it('is sent if an operator has asked for it', async () => {
    const email = await cappedAddress('asked');
    const ref = await orderOf(email);
    await shop.db.update(orders).set({ status: 'failed' }).where(eq(orders.id, ref.orderId));
    const key = emailKey(ref, { template: 'order_failed', occurrence: 1 });
    const failure = await openFailureOf(shop.db, ref, { kind: 'email', step: 'order_failed', emailKey: key });
    await retryFailure.perform(shop, failure.failureId, { reason: 'it is back' }, 'key:operator');
    await runActivity(shop.activities().resendEmail, failure);
    expect(arrived(email)).toBe(CAP + 1);
  });
});

describe('an email that the cap is not about', () => {
  it.each(['order_confirmed', 'order_shipped', 'order_delivered'] as const)('%s is sent: the order was paid for', async (template) => {
    const email = await cappedAddress(template);
    expect(await send(await orderOf(email), template)).toBe('sent');
  });

  it('is sent about a failed order that was paid for', async () => {
    const email = await cappedAddress('paid');
    const ref = await orderOf(email);
    await runActivity(shop.activities().chargePayment, ref);
    expect(await shop.db.$count(payments, eq(payments.orderId, ref.orderId))).toBe(1);
    expect(await send(ref)).toBe('sent');
  });

  it('is sent to operations', async () => {
    const email = await cappedAddress('approval');
    for (let more = 0; more <= CAP; more += 1) expect(await send(await orderOf(email), 'approval_requested')).toBe('sent');
  });
});

it('an email that the mail server did not take leaves room for another', async () => {
  const email = 'down@example.com';
  shop.inbox.faults.set({ mode: 'down' });
  const { sendOrderEmail } = shop.activities();
  const refs = await Promise.all(Array.from({ length: CAP }, () => orderOf(email)));
  await Promise.allSettled(refs.map((ref) => runActivity(sendOrderEmail, ref, 'order_failed', 1)));
  shop.inbox.faults.clear();
  for (const ref of refs) expect(await send(ref)).toBe('sent');
});

it('without a cap, every email is sent', async () => {
  const open = await createShop();
  try {
    for (let sent = 0; sent <= CAP; sent += 1) expect(await send(await orderOf('open@example.com', open), 'order_failed', open)).toBe('sent');
  } finally {
    await open.close();
  }
});
