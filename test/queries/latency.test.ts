import { eq } from 'drizzle-orm';
import { beforeEach, expect, it } from 'vitest';
import type { OrderStatus } from '../../src/contracts/statuses.ts';
import { orderEvents } from '../../src/db/schema.ts';
import { readLatencies } from '../../src/queries/latency.ts';
import { useShop } from '../support/shop.ts';

const shop = await useShop();
const { db } = shop;
beforeEach(() => db.delete(orderEvents));

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

/** Gives a new order a past: its statuses, and the seconds after its acceptance at which it had them. */
async function record(steps: [status: OrderStatus, seconds: number, generation?: number][], acceptedAt = Date.now() - HOUR): Promise<void> {
  const { orderId } = await shop.placeOrder();
  await db.delete(orderEvents).where(eq(orderEvents.orderId, orderId));
  await db.insert(orderEvents).values(
    steps.map(([status, seconds, generation = 1]) => ({ orderId, generation, status, at: new Date(acceptedAt + seconds * SECOND) })),
  );
}

it('measures from accepted to charged and to shipped', async () => {
  expect(await readLatencies(db)).toEqual({ charged: null, shipped: null });
  for (let seconds = 1; seconds <= 21; seconds += 1) await record([['accepted', 0], ['reserved', 0.5], ['charged', seconds]]);
  await record([['accepted', 0], ['shipped', 60]]);
  expect(await readLatencies(db)).toEqual({
    charged: { p50: 11_000, p95: 20_000, orders: 21 },
    shipped: { p50: 60_000, p95: 60_000, orders: 1 },
  });
});

it('counts the first time in each generation: a retry or a restart does not change it', async () => {
  await record([['accepted', 0], ['charged', 2], ['needs_attention', 30], ['charged', 900]]);
  await record([['accepted', 0], ['failed', 5], ['accepted', 600, 2], ['charged', 602, 2]]);
  expect((await readLatencies(db)).charged).toEqual({ p50: 2_000, p95: 2_000, orders: 2 });
});

it('leaves out what happened more than a day ago', async () => {
  await record([['accepted', 0], ['charged', 2]], Date.now() - 25 * HOUR);
  expect(await readLatencies(db)).toEqual({ charged: null, shipped: null });
});
