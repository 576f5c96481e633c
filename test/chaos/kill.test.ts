import { eq, inArray } from 'drizzle-orm';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { commands, emails, orders } from '../../src/db/schema.ts';
import { cancelOrder } from '../../src/intake/orders.ts';
import { recordCarrierWebhook } from '../../src/intake/webhooks.ts';
import { shipmentReference } from '../../src/contracts/ids.ts';
import type { OrderStatus } from '../../src/contracts/statuses.ts';
import { expectSound, invoiceNumbers, stockTotals } from '../support/audit.ts';
import { createNamespace, type TestNamespace } from '../support/namespace.ts';
import { createPauses, type Pause, type Pauses, type PausePoint } from '../support/pauses.ts';
import { createShop, type Shop } from '../support/shop.ts';
import { startWorker, type WorkerProcess } from '../support/worker-process.ts';

/**
 * Many orders, each brought to a stop in the middle of another activity; then `kill -9` for the worker of them all. One
 * kill serves for many points, because what an activity was doing is tried again only when its timeout has passed.
 */

let temporal: TestNamespace;
let shop: Shop;
let pauses: Pauses;
let worker: WorkerProcess | undefined;
let stockBefore: Record<string, number>;

beforeAll(async () => {
  [temporal, shop] = await Promise.all([createNamespace(), createShop()]);
  pauses = await createPauses(shop.environment.DATABASE_URL);
  stockBefore = await stockTotals(shop.db);
});
afterAll(async () => {
  await worker?.kill();
  await pauses.close();
  await shop.close();
  await temporal.close();
});

const start = () =>
  startWorker({ ...shop.environment, ...temporal.environment, WORKFLOW_BUNDLE: inject('workflowBundlePath') });

/** Where a statement of the worker is held up, for one order. */
type Point = Omit<PausePoint, 'connection'>;
const of = (orderId: string, condition = 'true') => `new.order_id = '${orderId}' and ${condition}`;

const hold = (point: Point): Promise<Pause> => pauses.before({ ...point, connection: 'holdfast-worker' });

/** Kills the worker at the points, and lets another one go on. */
async function killAt(points: Pause[]): Promise<void> {
  await Promise.all(points.map((point) => point.reached()));
  await worker?.kill();
  await pauses.abandon();
  worker = await start();
}

const allAre = async (orderIds: string[], status: OrderStatus) => {
  await expect
    .poll(
      async () => {
        const rows = await shop.db.select().from(orders).where(inArray(orders.id, orderIds));
        return rows.filter((row) => row.status !== status).map((row) => `${row.id}: ${row.status}`);
      },
      { timeout: 60_000, interval: 100 },
    )
    .toEqual([]);
};

const sent = async (template: string, count: number) => {
  await expect.poll(() => shop.db.$count(emails, eq(emails.template, template)), { timeout: 60_000 }).toBe(count);
};

const carrier = (orderId: string, type: 'shipped' | 'delivered') =>
  recordCarrierWebhook(shop.db, {
    eventId: `${orderId}/${type}`,
    type: `shipment.${type}`,
    data: { reference: shipmentReference({ orderId, generation: 1 }), carrier: 'Parcel Post', trackingNumber: 'PP1' },
  });

it('an order goes on, with one effect of each step, wherever its worker is killed', { timeout: 170_000 }, async () => {
  const forward: ((orderId: string) => Point)[] = [
    (id) => ({ table: 'reservations', on: 'insert', when: of(id) }),
    // Before anything is asked of the provider; between its two calls; after it has taken the money.
    (id) => ({ table: 'payments', on: 'insert', when: of(id) }),
    (id) => ({ table: 'payments', on: 'update', when: of(id, `old.provider_payment_id is null`) }),
    (id) => ({ table: 'payments', on: 'update', when: of(id, `new.state = 'captured'`) }),
    // After the warehouse has accepted.
    (id) => ({ table: 'shipments', on: 'insert', when: of(id) }),
    // After the mail server has taken it.
    (id) => ({ table: 'emails', on: 'insert', when: of(id, `new.template = 'order_confirmed'`) }),
    (id) => ({ table: 'invoices', on: 'insert', when: of(id) }),
  ];
  // The first holds the stock of its item: nobody else must want that.
  const held = [
    await shop.placeOrder({ items: [{ sku: 'TEA-SENCHA', quantity: 1 }] }),
    ...(await Promise.all(forward.slice(1).map(() => shop.placeOrder()))),
  ];
  // Two more for calls that are under way at the provider and at the warehouse, whichever orders they hit.
  const spare = [await shop.placeOrder(), await shop.placeOrder()];
  const ids = [...held, ...spare].map(({ orderId }) => orderId);
  const points: Pause[] = [];
  for (const [index, point] of forward.entries()) points.push(await hold(point(ids[index] ?? '')));
  shop.payments.faults.set({ mode: 'slow', delayMs: 3_000, operation: 'POST /v1/payment_intents/:id/confirm', count: 1 });
  shop.warehouse.faults.set({ mode: 'slow', delayMs: 3_000, operation: 'POST /v1/shipments', count: 1 });

  worker = await start();
  await killAt(points);
  await allAre(ids, 'fulfilling');
  const numbers = ids.map((_, index) => index + 1);
  await expect.poll(() => invoiceNumbers(shop.db), { timeout: 60_000 }).toEqual(numbers);
  for (const id of ids) await expectSound(shop, id);
  await sent('order_confirmed', ids.length);

  // The second half: half of the orders are cancelled, the others are shipped and delivered.
  const [first = '', shippedAt = '', deliveredAt = '', ...others] = ids;
  const undone = [first, ...others];
  const backward: ((orderId: string) => Point)[] = [
    (id) => ({ table: 'reservations', on: 'update', when: of(id) }),
    (id) => ({ table: 'invoices', on: 'update', when: of(id) }),
    (id) => ({ table: 'shipments', on: 'update', when: of(id, `new.state = 'cancelled'`) }),
    // After the provider has given the money back.
    (id) => ({ table: 'payments', on: 'update', when: of(id, `new.state = 'refunded'`) }),
    (id) => ({ table: 'orders', on: 'update', when: `new.id = '${id}' and new.status = 'cancelled'` }),
    (id) => ({ table: 'emails', on: 'insert', when: of(id, `new.template = 'order_cancelled'`) }),
  ];
  const more: Pause[] = [
    await hold({ table: 'shipments', on: 'update', when: of(shippedAt, `new.state = 'shipped'`) }),
    await hold({ table: 'orders', on: 'update', when: `new.id = '${deliveredAt}' and new.status = 'completed'` }),
  ];
  for (const [index, point] of backward.entries()) more.push(await hold(point(undone[index] ?? '')));
  shop.payments.faults.set({ mode: 'slow', delayMs: 3_000, operation: 'POST /v1/refunds', count: 1 });
  for (const id of undone) await cancelOrder(shop.db, shop.caller, id, 'changed my mind');
  for (const id of [shippedAt, deliveredAt]) await carrier(id, 'shipped');
  await carrier(deliveredAt, 'delivered');
  await killAt(more);
  await carrier(shippedAt, 'delivered');
  await allAre([shippedAt, deliveredAt], 'completed');
  await allAre(undone, 'cancelled');

  for (const id of ids) await expectSound(shop, id);
  expect(await stockTotals(shop.db)).toEqual(stockBefore);
  expect(await invoiceNumbers(shop.db)).toEqual(numbers);
  await sent('order_cancelled', undone.length);
  // A mail that was sent again is the same mail.
  const subjects = shop.inbox.messages({ to: 'ada@example.com' }).map(({ subject }) => subject);
  expect(subjects.length).toBe(new Set(subjects).size);
  expect(await shop.db.$count(commands, eq(commands.state, 'pending'))).toBe(0);
});
