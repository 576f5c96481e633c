import { eq } from 'drizzle-orm';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { orderWorkflowId, signupWorkflowId } from '../../src/contracts/ids.ts';
import type { OrderStatus } from '../../src/contracts/statuses.ts';
import { commands, differences, orders, signups } from '../../src/db/schema.ts';
import { acceptSignup } from '../../src/intake/signups.ts';
import { createBookkeeper, expectBooksBalanced } from '../support/books.ts';
import { useNamespace } from '../support/namespace.ts';
import { useShop } from '../support/shop.ts';
import { startWorkers } from '../support/workers.ts';

const temporal = await useNamespace();
const shop = await useShop();
afterAll(await startWorkers(shop, temporal));
const { db } = shop;
const { client } = temporal;
const dispatcher = shop.dispatcher(client);
const { check, expectDifference, expectEqual } = createBookkeeper(shop, client);

async function fulfillingOrder(): Promise<string> {
  const { orderId } = await shop.placeOrder();
  await dispatcher.drain();
  await statusOf(orderId, 'fulfilling');
  return orderId;
}

const statusOf = (orderId: string, status: OrderStatus) =>
  vi.waitFor(async () => expect(await db.select().from(orders).where(eq(orders.id, orderId))).toMatchObject([{ status }]), {
    // A step is parked after its retries, which take 15 s.
    timeout: 60_000,
    interval: 50,
  });

async function pendingSignup(): Promise<string> {
  const { made } = await acceptSignup(db, shop.caller, {
    idempotencyKey: crypto.randomUUID(),
    requestHash: 'test',
    signup: { email: `${crypto.randomUUID()}@example.com`, name: 'Grace Hopper' },
  });
  return made.id;
}

describe('the check of orders and their runs', { timeout: 240_000 }, () => {
  it('finds nothing wrong with orders under way, accepted, parked, cancelled and shipped', async () => {
    await fulfillingOrder();
    shop.warehouse.faults.set({ mode: 'error_before' });
    const { orderId: parked } = await shop.placeOrder();
    await dispatcher.drain();
    await statusOf(parked, 'needs_attention');
    shop.heal();
    await shop.placeOrder({ payment: { method: 'pm_card_visa_chargeDeclined' } });
    const shipped = await fulfillingOrder();
    await shop.shipSilently(shipped);
    await shop.carrier(shipped, 'shipped');
    await dispatcher.drain();
    await shop.placeOrder();
    await expectBooksBalanced(shop, client);
  });

  it('finds an order whose run was never started, and does not while its command is due', async () => {
    const { orderId } = await shop.placeOrder();
    await check('order_runs');
    expect(await db.select().from(differences)).toEqual([]);
    await db.update(commands).set({ state: 'discarded' }).where(eq(commands.workflowId, orderWorkflowId(orderId)));
    await expectDifference('order_runs', orderId, {
      what: 'run_missing',
      ours: 'accepted, generation 1',
      theirs: 'no run',
      fix: 'start_run',
      orderId,
    });
    await db.update(commands).set({ state: 'pending' }).where(eq(commands.workflowId, orderWorkflowId(orderId)));
    await dispatcher.drain();
    await statusOf(orderId, 'fulfilling');
    await expectEqual('order_runs', orderId);
  });

  it('finds a run that has ended although its order has not', async () => {
    const orderId = await fulfillingOrder();
    await client.workflow.getHandle(orderWorkflowId(orderId)).terminate('by hand');
    await expectDifference('order_runs', orderId, { what: 'run_ended', ours: 'fulfilling, generation 1', fix: null });
    await db.update(orders).set({ status: 'cancelled' }).where(eq(orders.id, orderId));
    await expectEqual('order_runs', orderId);
  });

  it('finds a run that waits elsewhere than its order', async () => {
    const orderId = await fulfillingOrder();
    await db.update(orders).set({ status: 'charged' }).where(eq(orders.id, orderId));
    await expectDifference('order_runs', orderId, {
      what: 'status_differs',
      ours: 'charged, generation 1',
      theirs: 'an open run, showing fulfilling, generation 1',
    });
    await db.update(orders).set({ status: 'fulfilling', generation: 2 }).where(eq(orders.id, orderId));
    await expectDifference('order_runs', orderId, { what: 'generation_differs', ours: 'fulfilling, generation 2' });
    await db.update(orders).set({ generation: 1 }).where(eq(orders.id, orderId));
    await expectEqual('order_runs', orderId);
  });

  it('finds an open run whose order has ended', async () => {
    const orderId = await fulfillingOrder();
    await db.update(orders).set({ status: 'cancelled' }).where(eq(orders.id, orderId));
    await expectDifference('order_runs', orderId, { what: 'status_differs', ours: 'cancelled, generation 1' });
    await db.update(orders).set({ status: 'fulfilling' }).where(eq(orders.id, orderId));
    await expectEqual('order_runs', orderId);
  });

  it('finds an open run of an order that does not exist', async () => {
    const orderId = crypto.randomUUID();

    const order = await client.workflow.start('order', { workflowId: orderWorkflowId(orderId), taskQueue: 'nobody', args: [] });
    await expectDifference('order_runs', orderId, { what: 'row_missing', ours: 'no row', orderId: null });
    await order.terminate();
    await expectEqual('order_runs', orderId);
  });
});

describe('the check of signups and their runs', { timeout: 60_000 }, () => {
  it('finds a signup whose run was never started, and one that waits elsewhere', async () => {
    const lost = await pendingSignup();
    await db.update(commands).set({ state: 'discarded' }).where(eq(commands.workflowId, signupWorkflowId(lost)));
    const other = await pendingSignup();
    await dispatcher.drain();
    await db.update(signups).set({ status: 'verified' }).where(eq(signups.id, other));
    await expectDifference('signup_runs', lost, { what: 'run_missing', fix: 'start_run', signupId: lost });
    await expectDifference('signup_runs', other, { what: 'status_differs', theirs: 'an open run, showing pending_verification' });
  });
});
