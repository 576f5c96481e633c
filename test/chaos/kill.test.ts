import { eq, inArray } from 'drizzle-orm';
import { afterAll, expect, it } from 'vitest';
import { commands, emails, failures, orders } from '../../src/db/schema.ts';
import { cancelOrder } from '../../src/intake/orders.ts';
import type { OrderStatus } from '../../src/contracts/statuses.ts';
import { expectSound, invoiceNumbers, stockTotals } from '../support/audit.ts';
import { useNamespace } from '../support/namespace.ts';
import { createPauses, type Pause, type PausePoint } from '../support/pauses.ts';
import { useShop } from '../support/shop.ts';
import { startWorker, type ServiceProcess } from '../support/service-process.ts';

// Pauses many orders, each in another activity, and then kills their worker with `kill -9`. Temporal retries a killed
// activity only after its timeout, so one kill for all of them saves minutes.

const temporal = await useNamespace();
const shop = await useShop();
const pauses = await createPauses(shop.environment.DATABASE_URL);
const stockBefore = await stockTotals(shop.db);
let worker: ServiceProcess | undefined;
afterAll(async () => {
  await worker?.kill();
  await pauses.close();
});

const start = () => startWorker({ ...shop.environment, ...temporal.environment });

/** Where a statement of the worker is paused, for one order. */
type Point = Omit<PausePoint, 'connection'>;
const of = (orderId: string, condition = 'true') => `new.order_id = '${orderId}' and ${condition}`;

const pauseAt = (point: Point): Promise<Pause> => pauses.before({ ...point, connection: 'holdfast-worker' });

/** Kills the worker once every point is reached, and starts another one. */
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

it('continues an order with one effect of each step, wherever its worker is killed', { timeout: 400_000 }, async () => {
  const forward: ((orderId: string) => Point)[] = [
    (id) => ({ table: 'reservations', on: 'insert', when: of(id) }),
    // Before the first call to the provider, between its two calls, and after it has captured the money.
    (id) => ({ table: 'saga_steps', on: 'insert', when: of(id, `new.step = 'charge'`) }),
    (id) => ({ table: 'payments', on: 'insert', when: of(id) }),
    (id) => ({ table: 'payments', on: 'update', when: of(id, `new.state = 'captured'`) }),
    // After the warehouse has accepted.
    (id) => ({ table: 'shipments', on: 'insert', when: of(id) }),
    // After the mail server has accepted it.
    (id) => ({ table: 'emails', on: 'insert', when: of(id, `new.template = 'order_confirmed'`) }),
    (id) => ({ table: 'invoices', on: 'insert', when: of(id) }),
  ];
  // The first one locks the stock of its item while it is paused, so no other order may need that item.
  const paused = [
    await shop.placeOrder({ items: [{ sku: 'TEA-SENCHA', quantity: 1 }] }),
    ...(await Promise.all(forward.slice(1).map(() => shop.placeOrder()))),
  ];
  // Two more for the calls that the provider and the warehouse are serving at the kill, whichever orders these belong to.
  const spare = [await shop.placeOrder(), await shop.placeOrder()];
  const ids = [...paused, ...spare].map(({ orderId }) => orderId);
  const points: Pause[] = [];
  for (const [index, point] of forward.entries()) points.push(await pauseAt(point(ids[index] ?? '')));
  shop.payments.faults.set({ mode: 'slow', delayMs: 3_000, operation: 'POST /v1/payment_intents/:id/confirm', count: 1 });
  shop.warehouse.faults.set({ mode: 'slow', delayMs: 3_000, operation: 'POST /v1/shipments', count: 1 });

  // A refused order is undone in the same workflow task. When that task runs again, the order must be refused again.
  const { orderId: soldOut } = await shop.placeOrder({ items: [{ sku: 'TEA-GYOKURO-RARE', quantity: 1 }] });
  points.push(await pauseAt({ table: 'orders', on: 'update', when: `new.id = '${soldOut}' and new.status = 'failed'` }));

  worker = await start();
  await killAt(points);
  await allAre(ids, 'fulfilling');
  await allAre([soldOut], 'failed');
  expect(await shop.db.$count(failures, eq(failures.kind, 'step'))).toBe(0);
  const numbers = ids.map((_, index) => index + 1);
  await expect.poll(() => invoiceNumbers(shop.db), { timeout: 60_000 }).toEqual(numbers);
  for (const id of ids) await expectSound(shop, id);
  await sent('order_confirmed', ids.length);

  // The second part: two orders are shipped, the others are cancelled.
  const [first = '', shippedAt = '', deliveredAt = '', ...others] = ids;
  const undone = [first, ...others];
  const backward: ((orderId: string) => Point)[] = [
    (id) => ({ table: 'reservations', on: 'update', when: of(id) }),
    (id) => ({ table: 'invoices', on: 'update', when: of(id) }),
    (id) => ({ table: 'shipments', on: 'update', when: of(id, `new.state = 'cancelled'`) }),
    // After the provider has refunded the money.
    (id) => ({ table: 'payments', on: 'update', when: of(id, `new.state = 'refunded'`) }),
    (id) => ({ table: 'orders', on: 'update', when: `new.id = '${id}' and new.status = 'cancelled'` }),
    (id) => ({ table: 'emails', on: 'insert', when: of(id, `new.template = 'order_cancelled'`) }),
  ];
  const backwardPoints: Pause[] = [
    await pauseAt({ table: 'shipments', on: 'update', when: of(shippedAt, `new.state = 'shipped'`) }),
    await pauseAt({ table: 'orders', on: 'update', when: `new.id = '${deliveredAt}' and new.status = 'completed'` }),
  ];
  for (const [index, point] of backward.entries()) backwardPoints.push(await pauseAt(point(undone[index] ?? '')));
  shop.payments.faults.set({ mode: 'slow', delayMs: 3_000, operation: 'POST /v1/refunds', count: 1 });
  for (const id of undone) await cancelOrder(shop.db, shop.caller, id, 'changed my mind');
  for (const id of [shippedAt, deliveredAt]) await shop.carrier(id, 'shipped');
  await shop.carrier(deliveredAt, 'delivered');
  await killAt(backwardPoints);
  await shop.carrier(shippedAt, 'delivered');
  await allAre([shippedAt, deliveredAt], 'completed');
  await allAre(undone, 'cancelled');

  for (const id of ids) await expectSound(shop, id);
  expect(await stockTotals(shop.db)).toEqual(stockBefore);
  expect(await invoiceNumbers(shop.db)).toEqual(numbers);
  await sent('order_cancelled', undone.length);
  // The inbox counts a repeated email as a copy of the first.
  const subjects = shop.inbox.messages({ to: 'ada@example.com' }).map(({ subject }) => subject);
  expect(subjects.length).toBe(new Set(subjects).size);
  expect(await shop.db.$count(commands, eq(commands.state, 'pending'))).toBe(0);
});
