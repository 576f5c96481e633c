import { and, eq, sql } from 'drizzle-orm';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { orderWorkflowId } from '../../src/contracts/ids.ts';
import type { OrderStatus } from '../../src/contracts/statuses.ts';
import { commands, failures, invoiceCounter, invoices, orders, reservations, stock } from '../../src/db/schema.ts';
import { transaction } from '../../src/db/transaction.ts';
import { openFailure } from '../../src/records/failures.ts';
import { createBookkeeper, expectBooksBalanced } from '../support/books.ts';
import { openFailureOf } from '../support/failures.ts';
import { useNamespace } from '../support/namespace.ts';
import { useShop } from '../support/shop.ts';
import { startWorkers } from '../support/workers.ts';

const temporal = await useNamespace();
const shop = await useShop();
afterAll(await startWorkers(shop, temporal));
const { db } = shop;
const dispatcher = shop.dispatcher(temporal.client);
const { check, expectDifference, expectEqual } = createBookkeeper(shop, temporal.client);

const SOON = { timeout: 20_000, interval: 50 };

async function orderThatIs(status: OrderStatus): Promise<string> {
  const { orderId } = await shop.placeOrder();
  await dispatcher.drain();
  await vi.waitFor(async () => expect(await db.select().from(orders).where(eq(orders.id, orderId))).toMatchObject([{ status }]), SOON);
  return orderId;
}

/** The invoice comes just after the order is fulfilling. */
const invoiceOf = (id: string) =>
  vi.waitFor(async () => {
    const [invoice] = await db.select().from(invoices).where(eq(invoices.orderId, id));
    if (!invoice) throw new Error(`No invoice of ${id}.`);
    return invoice;
  }, SOON);

let orderId: string;
beforeEach(async () => {
  orderId = await orderThatIs('fulfilling');
});

describe('the check of reservations', { timeout: 60_000 }, () => {
  it('finds an order that holds less than it needs', async () => {
    await db.update(reservations).set({ quantity: 1 }).where(eq(reservations.orderId, orderId));
    await expectDifference('reservations', orderId, {
      what: 'reservations_differ',
      ours: 'fulfilling, so it holds TEA-EARL-GREY × 2',
      theirs: 'it holds TEA-EARL-GREY × 1',
    }, 'changed');
    await db.update(reservations).set({ quantity: 2 }).where(eq(reservations.orderId, orderId));
    await expectEqual('reservations', orderId);
  });

  it('finds stock that an earlier generation still holds', async () => {
    await db.insert(reservations).values({ orderId, generation: 2, sku: 'TEA-SENCHA', quantity: 1 });
    await expectDifference('reservations', orderId, { theirs: 'it holds TEA-EARL-GREY × 2, TEA-SENCHA × 1' });
    await db.delete(reservations).where(and(eq(reservations.orderId, orderId), eq(reservations.generation, 2)));
    await expectEqual('reservations', orderId);
  });
});

describe('the check of stock', { timeout: 60_000 }, () => {
  it('finds units that are neither available nor reserved', async () => {
    await db.update(stock).set({ available: sql`${stock.available} - 3` }).where(eq(stock.sku, 'TEA-EARL-GREY'));
    await expectDifference('stock', 'TEA-EARL-GREY', { what: 'stock_differs', ours: '10000 of TEA-EARL-GREY' });
    await db.update(stock).set({ available: sql`${stock.available} + 3` }).where(eq(stock.sku, 'TEA-EARL-GREY'));
    await expectEqual('stock', 'TEA-EARL-GREY');
  });
});

describe('the check of invoices', { timeout: 60_000 }, () => {
  it('finds an invoice over another amount, and a missing one with the gap it leaves', async () => {
    const invoice = await invoiceOf(orderId);
    await invoiceOf(await orderThatIs('fulfilling'));
    await db.update(invoices).set({ amount: 1 }).where(eq(invoices.orderId, orderId));
    await expectDifference('invoices', orderId, { ours: 'fulfilling, so it has 1780 EUR', theirs: '1 EUR' }, 'changed');

    await db.delete(invoices).where(eq(invoices.orderId, orderId));
    await expectDifference('invoices', orderId, { theirs: 'no invoice' }, 'changed');
    const next = String(invoice.number + 1);
    await expectDifference('invoices', next, { what: 'number_missing', theirs: `there is no invoice ${invoice.number}` }, 'changed');

    await db.insert(invoices).values(invoice);
    await expectEqual('invoices', orderId);
    await expectEqual('invoices', next);
  });

  it('finds a valid invoice of an order that was cancelled, and a last invoice that is missing', async () => {
    await invoiceOf(orderId);
    await db.update(orders).set({ status: 'cancelled' }).where(eq(orders.id, orderId));
    await expectDifference('invoices', orderId, { ours: 'cancelled, so it has no invoice', theirs: '1780 EUR' });
    await db.update(orders).set({ status: 'fulfilling' }).where(eq(orders.id, orderId));
    await expectEqual('invoices', orderId);

    await db.update(invoiceCounter).set({ lastNumber: sql`${invoiceCounter.lastNumber} + 1` });
    await expectDifference('invoices', 'counter', { what: 'counter_differs' });
    await db.update(invoiceCounter).set({ lastNumber: sql`${invoiceCounter.lastNumber} - 1` });
    await expectEqual('invoices', 'counter');
  });
});

describe('the check of failures', { timeout: 90_000 }, () => {
  it('finds a failure without a parked order, and a parked order without a failure', async () => {
    const ref = { orderId, generation: 1 };
    const { failureId } = await openFailureOf(db, ref);
    await expectDifference('failures', failureId, { what: 'nothing_parked', ours: 'step ship is open', theirs: 'the order is fulfilling' });
    await db.update(orders).set({ status: 'needs_attention' }).where(eq(orders.id, orderId));
    await expectEqual('failures', failureId);
    await db.update(failures).set({ status: 'resolved' }).where(eq(failures.id, failureId));
    await expectDifference('failures', orderId, { what: 'failure_missing', orderId });
    await db.update(orders).set({ status: 'fulfilling' }).where(eq(orders.id, orderId));
    await expectEqual('failures', orderId);
  });

  it('finds a retry that was lost, but not one whose command is due', async () => {
    const { failureId } = await openFailureOf(db, { orderId, generation: 1 });
    await db.update(orders).set({ status: 'needs_attention' }).where(eq(orders.id, orderId));
    await db.update(failures).set({ status: 'retrying' }).where(eq(failures.id, failureId));
    const due = { workflowId: orderWorkflowId(orderId), body: {} };
    await db.insert(commands).values(due);
    await check('failures');
    await expectEqual('failures', failureId);
    await db.delete(commands).where(and(eq(commands.workflowId, due.workflowId), eq(commands.state, 'pending')));
    await expectDifference('failures', failureId, { what: 'retry_lost', fix: 'reopen_failure' });
    await db.update(failures).set({ status: 'open' }).where(eq(failures.id, failureId));
    await expectEqual('failures', failureId);
    await db.update(failures).set({ status: 'resolved' }).where(eq(failures.id, failureId));
    await db.update(orders).set({ status: 'fulfilling' }).where(eq(orders.id, orderId));
  });

  it('finds a failing compensation, a broken run, a late parcel of an order that has ended, and a command that is gone', async () => {
    await db.update(orders).set({ status: 'completed' }).where(eq(orders.id, orderId));
    const open = async (kind: 'compensation' | 'run' | 'late_shipment', step: string) =>
      (await openFailureOf(db, { orderId, generation: 1 }, { kind, step })).failureId;
    const opened = {
      nothing_undone: await open('compensation', 'charge'),
      run_not_needed: await open('run', 'run'),
      nothing_late: await open('late_shipment', 'ship'),
      command_not_set_aside: (
        await transaction(db, (tx) =>
          openFailure(tx, {
            kind: 'command',
            workflowId: orderWorkflowId(orderId),
            step: 'command 999999',
            errorType: 'poisoned_command',
            errorMessage: 'x',
            attempts: 1,
          }),
        )
      ).failureId,
    };
    for (const [what, failureId] of Object.entries(opened)) await expectDifference('failures', failureId, { what });
    await db.update(failures).set({ status: 'settled' }).where(eq(failures.workflowId, orderWorkflowId(orderId)));
    await db.update(orders).set({ status: 'fulfilling' }).where(eq(orders.id, orderId));
    for (const failureId of Object.values(opened)) await expectEqual('failures', failureId);
  });
});

describe('all checks', { timeout: 90_000 }, () => {
  it('find nothing once everything is as it was', async () => {
    await expectBooksBalanced(shop, temporal.client);
    expect(await db.$count(orders)).toBeGreaterThan(5);
  });
});
