import { eq, sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import type { OrderRef } from '../../src/contracts/ids.ts';
import { orders, sagaSteps } from '../../src/db/schema.ts';
import { createShop, runActivity, useShop, type Shop } from '../support/shop.ts';

const LIMIT = 3;
const shop = await useShop({ environment: { REVIEW_AFTER_DECLINES: String(LIMIT) } });

const orderOf = (email: string, at: Shop = shop): Promise<OrderRef> => at.placeOrder({ customer: { email, name: 'Ada' } });

/** Lets orders of a customer end with a declined card. @param ago when they ended */
async function decline(email: string, count: number, { ago = '1 hour', at = shop } = {}): Promise<void> {
  for (let declined = 0; declined < count; declined += 1) {
    const { orderId } = await orderOf(email, at);
    await at.db
      .update(orders)
      .set({ status: 'failed', failureType: 'card_declined', updatedAt: sql`now() - ${ago}::interval` })
      .where(eq(orders.id, orderId));
  }
}

const reserve = (ref: OrderRef, at: Shop = shop) => runActivity(at.activities().reserveStock, ref);

const recorded = async ({ orderId }: OrderRef) =>
  (await shop.db.select({ result: sagaSteps.result }).from(sagaSteps).where(eq(sagaSteps.orderId, orderId))).map(({ result }) => result);

describe('an order is reviewed', () => {
  it('if many cards of its customer were declined, and that is recorded', async () => {
    await decline('tester@example.com', LIMIT + 1);
    const ref = await orderOf('tester@example.com');
    expect(await reserve(ref)).toEqual({ review: true });
    expect(await recorded(ref)).toEqual([{ items: 1, reason: 'Review: 4 declined cards in 24 hours.' }]);
  });

  it('however the address is written', async () => {
    await decline('Written@example.com', LIMIT);
    expect(await reserve(await orderOf('wriTTen@EXAMPLE.com'))).toEqual({ review: true });
  });

  it('if a later attempt asks again, whatever has changed since', async () => {
    await decline('again@example.com', LIMIT);
    const ref = await orderOf('again@example.com');
    await reserve(ref);
    await shop.db
      .update(orders)
      .set({ updatedAt: sql`now() - interval '25 hours'` })
      .where(eq(orders.customerEmail, 'again@example.com'));
    expect(await reserve(ref)).toEqual({ review: true });
  });

  it('if two attempts run at once', async () => {
    await decline('twice@example.com', LIMIT);
    const ref = await orderOf('twice@example.com');
    expect(await Promise.all([reserve(ref), reserve(ref)])).toEqual([{ review: true }, { review: true }]);
  });

  it('again after a restart', async () => {
    const ref = await orderOf('restart@example.com');
    expect(await reserve(ref)).toBeUndefined();
    await decline('restart@example.com', LIMIT);
    await shop.db.update(orders).set({ generation: 2, status: 'accepted' }).where(eq(orders.id, ref.orderId));
    expect(await reserve({ ...ref, generation: 2 })).toEqual({ review: true });
  });
});

describe('an order is not reviewed', () => {
  it('with fewer declined cards', async () => {
    await decline('few@example.com', LIMIT - 1);
    const ref = await orderOf('few@example.com');
    expect(await reserve(ref)).toBeUndefined();
    expect(await recorded(ref)).toEqual([{ items: 1 }]);
  });

  it('if a later attempt asks after more cards were declined', async () => {
    const ref = await orderOf('later@example.com');
    await reserve(ref);
    await decline('later@example.com', LIMIT);
    expect(await reserve(ref)).toBeUndefined();
  });

  it('for what happened more than a day ago', async () => {
    await decline('old@example.com', LIMIT, { ago: '25 hours' });
    expect(await reserve(await orderOf('old@example.com'))).toBeUndefined();
  });

  it('for the declined cards of another customer', async () => {
    await decline('one@example.com', LIMIT);
    expect(await reserve(await orderOf('other@example.com'))).toBeUndefined();
  });

  it('if reviews are off', async () => {
    const open = await createShop();
    try {
      await decline('off@example.com', LIMIT * 3, { at: open });
      expect(await reserve(await orderOf('off@example.com', open), open)).toBeUndefined();
    } finally {
      await open.close();
    }
  });
});
