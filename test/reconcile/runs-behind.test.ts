import { eq } from 'drizzle-orm';
import { afterAll, expect, it, vi } from 'vitest';
import { differences, failures, orders } from '../../src/db/schema.ts';
import { retryFailure } from '../../src/operate/failures.ts';
import { createBookkeeper } from '../support/books.ts';
import { useNamespace } from '../support/namespace.ts';
import { useShop } from '../support/shop.ts';
import { startWorkers } from '../support/workers.ts';

const temporal = await useNamespace();
const shop = await useShop();
const { db } = shop;
let stopWorkers = await startWorkers(shop, temporal);
afterAll(() => stopWorkers());
const dispatcher = shop.dispatcher(temporal.client);
const { check } = createBookkeeper(shop, temporal.client);

const statusOf = async (orderId: string) => (await db.select().from(orders).where(eq(orders.id, orderId)))[0]?.status;
/** ms. A step is parked after its retries, which take 15 s. */
const SOON = { timeout: 60_000, interval: 50 };

it('does not report a retry as lost while no worker has looked at it', { timeout: 150_000 }, async () => {
  shop.warehouse.faults.set({ mode: 'error_before' });
  const { orderId } = await shop.placeOrder();
  await dispatcher.drain();
  await vi.waitFor(async () => expect(await statusOf(orderId)).toBe('needs_attention'), SOON);
  shop.heal();
  await stopWorkers();

  const [failure] = await db.select().from(failures).where(eq(failures.orderId, orderId));
  await retryFailure.perform(shop, failure?.id ?? '', { reason: 'fixed' }, 'key:operator');
  await dispatcher.drain();
  await check('failures');
  expect(await db.select().from(differences)).toEqual([]);

  stopWorkers = await startWorkers(shop, temporal);
  await vi.waitFor(async () => expect(await statusOf(orderId)).toBe('fulfilling'), SOON);
});
