import { eq } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { emails, verificationTokens } from '../../src/db/schema.ts';
import { acceptSignup } from '../../src/intake/signups.ts';
import { hashToken } from '../../src/records/tokens.ts';
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
    const token = /"token":"([\w-]+)"/.exec(mail?.text ?? '')?.[1] ?? '';
    const stored = await shop.db.select().from(verificationTokens).where(eq(verificationTokens.signupId, made.id));
    expect(stored.map(({ hash }) => hash)).toEqual([hashToken(token)]);
  });
});
