import { and, eq, inArray } from 'drizzle-orm';
import { expect, vi } from 'vitest';
import { failures, orders } from '../../../src/db/schema.ts';
import { acceptSignup } from '../../../src/intake/signups.ts';
import type { Stack } from './stack.ts';

/** In ms. A step is parked after its retries, which take 15 s. */
const SOON = { timeout: 90_000, interval: 200 };

const CUSTOMERS = {
  ada: { email: 'ada@example.com', name: 'Ada Lovelace' },
  joan: { email: 'joan@example.com', name: 'Joan Clarke' },
};
export const ADAS_ORDERS = 24;
const JOANS_ORDERS = 5;

/**
 * A bad night: the warehouse is down, so Ada's and Joan's orders are parked. Two cards were declined, one order is waiting
 * for approval, and someone has signed up.
 * @returns the ids of what the tests act on
 */
export async function makeTrouble({ shop, db }: Stack) {
  shop.warehouse.faults.set({ mode: 'error_before', operation: 'POST /v1/shipments' });
  for (let index = 0; index < ADAS_ORDERS; index += 1) await shop.placeOrder({ customer: CUSTOMERS.ada });
  const joans: string[] = [];
  for (let index = 0; index < JOANS_ORDERS; index += 1) {
    joans.push((await shop.placeOrder({ customer: CUSTOMERS.joan, items: [{ sku: 'POT-CAST-IRON', quantity: 1 }] })).orderId);
  }
  for (let index = 0; index < 2; index += 1) {
    await shop.placeOrder({ customer: CUSTOMERS.joan, payment: { method: 'pm_card_visa_chargeDeclined' } });
  }
  const { orderId: large } = await shop.placeOrder({ customer: CUSTOMERS.joan, items: [{ sku: 'SAMOVAR-BRASS', quantity: 1 }] });
  const { made: signup } = await acceptSignup(db, shop.caller, {
    idempotencyKey: 'signup',
    requestHash: 'signup',
    signup: { email: 'hedy@example.com', name: 'Hedy Lamarr' },
  });
  await vi.waitFor(async () => {
    expect(await db.$count(orders, eq(orders.status, 'needs_attention'))).toBe(ADAS_ORDERS + JOANS_ORDERS);
    expect(await db.$count(orders, eq(orders.status, 'failed'))).toBe(2);
    expect(await db.$count(orders, eq(orders.status, 'awaiting_approval'))).toBe(1);
  }, SOON);
  const [cancelled = '', unrefundable = '', inspected = ''] = joans;
  return { cancelled, unrefundable, inspected, large, signupId: signup.id };
}

/** Waits until an order is in a status. */
export const orderIs = ({ db }: Stack, orderId: string, status: (typeof orders.$inferSelect)['status']) =>
  vi.waitFor(async () => {
    const [order] = await db.select({ status: orders.status }).from(orders).where(eq(orders.id, orderId));
    expect(order?.status).toBe(status);
  }, SOON);

/** Waits until an order has an open failure of a kind. @returns its id */
export const openFailure = ({ db }: Stack, orderId: string, kind: 'step' | 'compensation') =>
  vi.waitFor(async () => {
    const [failure] = await db
      .select({ id: failures.id })
      .from(failures)
      .where(and(eq(failures.orderId, orderId), eq(failures.kind, kind), inArray(failures.status, ['open'])));
    if (!failure) throw new Error(`the order has no open ${kind} failure`);
    return failure.id;
  }, SOON);
