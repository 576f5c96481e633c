import { and, eq, sql } from 'drizzle-orm';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { orderWorkflowId, shipmentReference } from '../../src/contracts/ids.ts';
import type { OrderStatus } from '../../src/contracts/statuses.ts';
import { commands, failureEvents, failures, orders, payments, refunds, sagaSteps, shipments } from '../../src/db/schema.ts';
import { cancelOrder } from '../../src/intake/orders.ts';
import { fixFailure } from '../../src/operate/discrepancies.ts';
import { retryFailure } from '../../src/operate/failures.ts';
import { createBookkeeper } from '../support/books.ts';
import { openFailureOf } from '../support/failures.ts';
import { useNamespace } from '../support/namespace.ts';
import { useShop } from '../support/shop.ts';
import { startWorkers } from '../support/workers.ts';

const temporal = await useNamespace();
const shop = await useShop();
afterAll(await startWorkers(shop, temporal));
const { db, gateways } = shop;
const dispatcher = shop.dispatcher(temporal.client);
const { check, expectDifference, expectEqual } = createBookkeeper(shop, temporal.client);

const untilIs = (orderId: string, status: OrderStatus) =>
  vi.waitFor(async () => expect(await db.select().from(orders).where(eq(orders.id, orderId))).toMatchObject([{ status }]), {
    timeout: 20_000,
    interval: 50,
  });

let orderId: string;
let intent: string;
beforeEach(async () => {
  ({ orderId } = await shop.placeOrder());
  await dispatcher.drain();
  await untilIs(orderId, 'fulfilling');
  const [payment] = await db.select().from(payments).where(eq(payments.orderId, orderId));
  intent = payment?.providerPaymentId ?? '';
});

const NEW_INTENT = { amount: 500, currency: 'EUR', method: 'pm_card_visa', metadata: {} };
const paymentIs = (columns: Partial<typeof payments.$inferInsert>) =>
  db.update(payments).set(columns).where(eq(payments.orderId, orderId));
const FULL = 'captured, 1780 of 1780 EUR captured; refunds: none';

describe('the check of payments', { timeout: 60_000 }, () => {
  it('finds a payment that we do not know, but not one that was never confirmed', async () => {
    const unpaid = await gateways.payments.createIntent(crypto.randomUUID(), NEW_INTENT);
    const paid = await gateways.payments.createIntent(crypto.randomUUID(), NEW_INTENT);
    await gateways.payments.confirmIntent(crypto.randomUUID(), paid.id, 'pm_card_visa');
    await expectDifference('payments', paid.id, { what: 'payment_unknown', ours: 'no payment' }, 'changed');
    await expectEqual('payments', unpaid.id);
    await gateways.payments.refund(crypto.randomUUID(), paid.id, 500);
  });

  it('finds a payment that the provider does not know', async () => {
    await paymentIs({ providerPaymentId: 'pi_lost' });
    await expectDifference('payments', 'pi_lost', { what: 'payment_missing', ours: FULL, theirs: 'no payment', orderId }, 'changed');
    await expectDifference('payments', intent, { what: 'payment_unknown' }, 'changed');
    await paymentIs({ providerPaymentId: intent });
    await expectEqual('payments', 'pi_lost');
    await expectEqual('payments', intent);
  });

  it('finds another amount, and another state, but not while the charge is being made', async () => {
    await paymentIs({ captured: 1000 });
    await expectDifference('payments', intent, {
      what: 'payment_differs',
      ours: 'captured, 1000 of 1780 EUR captured; refunds: none',
      theirs: FULL,
    }, 'changed');
    await paymentIs({ captured: 0, state: 'pending' });
    await expectDifference('payments', intent, { ours: 'open, 0 of 1780 EUR captured; refunds: none' }, 'changed');
    const charge = and(eq(sagaSteps.orderId, orderId), eq(sagaSteps.step, 'charge'));
    await db.update(sagaSteps).set({ state: 'retrying' }).where(charge);
    await expectEqual('payments', intent);
    await db.update(sagaSteps).set({ state: 'done' }).where(charge);
    await paymentIs({ captured: 1780, state: 'captured' });
    await check('payments');
    await expectEqual('payments', intent);
  });

  it('finds one that is not on the first page of the provider', async () => {
    await Promise.all(Array.from({ length: 105 }, () => gateways.payments.createIntent(crypto.randomUUID(), NEW_INTENT)));
    await paymentIs({ captured: 1000 });
    await expectDifference('payments', intent, { what: 'payment_differs' });
    await paymentIs({ captured: 1780 });
    await expectEqual('payments', intent);
  });

  it('finds a refund that we do not know, and one that the provider does not know', async () => {
    const refund = await gateways.payments.refund(crypto.randomUUID(), intent, 80);
    await expectDifference('payments', intent, { what: 'payment_differs', ours: FULL, theirs: expect.stringContaining(refund.id) }, 'changed');
    const [payment] = await db.select().from(payments).where(eq(payments.orderId, orderId));
    const row = { paymentId: payment?.id ?? '', amount: 80, status: 'succeeded' as const };
    await db.insert(refunds).values({ ...row, providerRefundId: refund.id });
    await expectEqual('payments', intent);
    await db.insert(refunds).values({ ...row, providerRefundId: 're_lost' });
    await expectDifference('payments', intent, { ours: expect.stringContaining('re_lost') }, 'changed');
    await db.delete(refunds).where(eq(refunds.providerRefundId, 're_lost'));
    await expectEqual('payments', intent);
  });

  it('finds money of an order that was cancelled', async () => {
    await db.update(orders).set({ status: 'cancelled' }).where(eq(orders.id, orderId));
    await expectDifference('payments', intent, { what: 'money_kept', theirs: FULL, orderId }, 'changed');
    await expectDifference('payments', intent, { what: 'money_kept', fix: 'refund_payment' }, 'everything');
    await db.update(orders).set({ status: 'fulfilling' }).where(eq(orders.id, orderId));
    await expectEqual('payments', intent);
  });

  it('offers to refund it, and is content once the money is back', async () => {
    await db.update(orders).set({ status: 'cancelled' }).where(eq(orders.id, orderId));
    await expectDifference('payments', intent, { what: 'money_kept' }, 'changed');
    const reported = and(eq(failures.orderId, orderId), eq(failures.kind, 'discrepancy'));
    const [failure] = await db.select().from(failures).where(reported);
    await fixFailure.perform({ db }, failure?.id ?? '', { reason: 'it was cancelled' }, 'key:operator');
    await dispatcher.drain();
    await vi.waitFor(async () => expect(await db.select().from(payments).where(eq(payments.orderId, orderId))).toMatchObject([{ refunded: 1780 }]), {
      timeout: 20_000,
      interval: 50,
    });
    await expectEqual('payments', intent);
    const all = await db.select().from(failures).where(eq(failures.orderId, orderId));
    expect(all.map(({ kind, status }) => `${kind}: ${status}`).toSorted()).toEqual(['discrepancy: resolved', 'refund: resolved']);
  });

  it('finds money whose refund was asked for again a day ago, in a run that Temporal has lost', async () => {
    await db.update(orders).set({ status: 'cancelled' }).where(eq(orders.id, orderId));
    const refund = { kind: 'refund', step: 'charge', errorType: 'refund_failed' } as const;
    const { failureId } = await openFailureOf(db, { orderId, generation: 1 }, refund);
    await retryFailure.perform({ db }, failureId, { reason: 'the account is open again' }, 'key:operator');
    await db.update(commands).set({ state: 'delivered', deliveredAt: sql`now()` }).where(eq(commands.workflowId, orderWorkflowId(orderId)));
    await expectEqual('payments', intent);
    await db.update(failureEvents).set({ at: sql`now() - interval '25 hours'` }).where(eq(failureEvents.failureId, failureId));
    // Two checks in a row have to find it.
    await expectDifference('payments', intent, { what: 'money_kept', fix: 'refund_payment' }, 'everything');
    await expectDifference('payments', intent, { failureId: expect.any(String) }, 'known');

    const [reported] = await db.select().from(failures).where(and(eq(failures.orderId, orderId), eq(failures.kind, 'discrepancy')));
    await fixFailure.perform({ db }, reported?.id ?? '', { reason: 'nothing came of it' }, 'key:operator');
    await dispatcher.drain();
    await vi.waitFor(async () => expect(await db.select().from(failures).where(eq(failures.id, failureId))).toMatchObject([{ status: 'resolved' }]), {
      timeout: 20_000,
      interval: 50,
    });
    await expectEqual('payments', intent);
  });

  it('does not report what it cannot read: the check fails, and known differences stay', async () => {
    await paymentIs({ captured: 1000 });
    await expectDifference('payments', intent, { what: 'payment_differs' });
    await paymentIs({ captured: 1780 });
    shop.payments.faults.set({ mode: 'error_before' });
    await expect(check('payments')).rejects.toMatchObject({ type: 'payment_unavailable' });
    shop.heal();
    await expectEqual('payments', intent);
  });
});

const reference = () => shipmentReference({ orderId, generation: 1 });
const move = async (progress: 'shipped' | 'delivered') => {
  const response = await fetch(`${shop.warehouse.url}/_sandbox/shipments/${encodeURIComponent(reference())}/${progress}`, { method: 'POST' });
  expect(response.status).toBe(200);
};
const request = (of: string) =>
  gateways.warehouse.requestShipment(crypto.randomUUID(), {
    reference: of,
    recipient: { name: 'Ada', line1: '1 Dorset Street', city: 'London', postalCode: 'W1U 4EG', country: 'GB' },
    items: [{ sku: 'TEA-SENCHA', quantity: 1 }],
  });

describe('the check of shipments', { timeout: 60_000 }, () => {
  it('finds a parcel of no order, and one that the warehouse does not know', async () => {
    const unknown = shipmentReference({ orderId: crypto.randomUUID(), generation: 1 });
    await request(unknown);
    await expectDifference('shipments', unknown, { what: 'shipment_unknown', theirs: 'in the warehouse' }, 'changed');
    await gateways.warehouse.cancelShipment(unknown);
    await expectEqual('shipments', unknown);

    const lost = shipmentReference({ orderId, generation: 2 });
    await db.update(orders).set({ generation: 2 }).where(eq(orders.id, orderId));
    await db.update(shipments).set({ generation: 2 }).where(eq(shipments.orderId, orderId));
    await expectDifference('shipments', lost, { what: 'shipment_missing', ours: 'in the warehouse', theirs: 'no shipment' }, 'changed');
    await db.update(shipments).set({ generation: 1 }).where(eq(shipments.orderId, orderId));
    await db.update(orders).set({ generation: 1 }).where(eq(orders.id, orderId));
    await expectEqual('shipments', lost);
    await expectEqual('shipments', reference());
  });

  it('finds a parcel that is elsewhere, until the message of the carrier arrives', async () => {
    await move('shipped');
    await expectDifference('shipments', reference(), { what: 'shipment_differs', ours: 'in the warehouse', theirs: 'with the carrier' }, 'changed');
    await shop.carrier(orderId, 'shipped');
    await dispatcher.drain();
    await untilIs(orderId, 'shipped');
    await expectEqual('shipments', reference());
  });

  it('expects only the last parcel of an order whose earlier one was withdrawn', async () => {
    const last = shipmentReference({ orderId, generation: 1, serial: 2 });
    await gateways.warehouse.cancelShipment(reference());
    await db.update(sagaSteps).set({ keySerial: 2 }).where(and(eq(sagaSteps.orderId, orderId), eq(sagaSteps.step, 'ship')));
    await expectDifference('shipments', last, { what: 'shipment_missing', ours: 'in the warehouse', orderId }, 'changed');
    await request(last);
    await expectEqual('shipments', last);
    await expectEqual('shipments', reference());
    await db.update(orders).set({ status: 'cancelled' }).where(eq(orders.id, orderId));
    await expectDifference('shipments', last, { what: 'shipment_unexpected', theirs: 'in the warehouse' }, 'changed');
    await db.update(orders).set({ status: 'fulfilling' }).where(eq(orders.id, orderId));
    await expectEqual('shipments', last);
  });

  it('finds a parcel of an order that was cancelled', async () => {
    await db.update(orders).set({ status: 'cancelled' }).where(eq(orders.id, orderId));
    await expectDifference('shipments', reference(), { what: 'shipment_unexpected', theirs: 'in the warehouse' }, 'changed');
    await db.update(orders).set({ status: 'fulfilling' }).where(eq(orders.id, orderId));
    await expectEqual('shipments', reference());
  });
});

describe('all checks', { timeout: 90_000 }, () => {
  it('find nothing when an order was cancelled and refunded', async () => {
    await cancelOrder(db, shop.caller, orderId, 'changed my mind');
    await dispatcher.drain();
    await untilIs(orderId, 'cancelled');
    for (const name of ['payments', 'shipments'] as const) await check(name);
    await expectEqual('payments', intent);
    await expectEqual('shipments', shipmentReference({ orderId, generation: 1 }));
  });
});
