import { EventEmitter, once } from 'node:events';
import { and, eq, inArray } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { createWarehouseActivities } from '../../src/activities/warehouse.ts';
import { shipmentReference, type OrderRef } from '../../src/contracts/ids.ts';
import { LIVE_FAILURE_STATUSES } from '../../src/contracts/statuses.ts';
import { commands, failures, orders, sagaSteps, shipments } from '../../src/db/schema.ts';
import { noAnswer } from '../../src/gateways/errors.ts';
import { recordCarrierWebhook } from '../../src/intake/webhooks.ts';
import { readOrderStory } from '../../src/queries/order-story.ts';
import { expectSound } from '../support/audit.ts';
import { openFailureOf } from '../support/failures.ts';
import { runActivity, useShop } from '../support/shop.ts';

const shop = await useShop();

const ship = (ref: OrderRef) => runActivity(shop.activities().requestShipment, ref);

async function chargedOrder(): Promise<OrderRef> {
  const ref = await shop.placeOrder();
  const { reserveStock, chargePayment } = shop.activities();
  for (const step of [reserveStock, chargePayment]) await runActivity<[OrderRef], unknown>(step, ref);
  return ref;
}

/** @returns an order that the warehouse has accepted, whose answer was lost, and whose address was corrected since */
async function correctedOrder(): Promise<OrderRef> {
  const ref = await chargedOrder();
  shop.warehouse.faults.set({ mode: 'drop_after_commit', count: 1 });
  await expect(ship(ref)).rejects.toMatchObject({ type: 'warehouse_unavailable' });
  await correct(ref, '221B Baker Street');
  return ref;
}

const correct = ({ orderId }: OrderRef, line1: string) =>
  shop.db.update(orders).set({ line1 }).where(eq(orders.id, orderId));

/** @returns `line1: state` of each parcel that the warehouse has accepted for an order, oldest first */
function parcels({ orderId }: OrderRef): string[] {
  const last = new Map<string, string>();
  for (const entry of shop.warehouse.ledger()) {
    if (!('reference' in entry) || !entry.reference.includes(orderId) || !entry.object) continue;
    last.set(entry.reference, `${entry.object.recipient.line1}: ${entry.object.state}`);
  }
  return Array.from(last.values());
}

const shipOut = (ref: OrderRef) =>
  fetch(`${shop.warehouse.url}/_sandbox/shipments/${encodeURIComponent(shipmentReference(ref))}/shipped`, { method: 'POST' });

describe('an address that was corrected after the warehouse had accepted the order without our knowing', () => {
  it('gets the parcel: the earlier one is withdrawn, and the next attempt asks for another one', async () => {
    const ref = await correctedOrder();
    await expect(ship(ref)).rejects.toMatchObject({ type: 'warehouse_unavailable', nonRetryable: false });
    await ship(ref);
    expect(parcels(ref)).toEqual(['1 Dorset Street: cancelled', '221B Baker Street: accepted']);
    expect(await shop.db.$count(shipments, eq(shipments.orderId, ref.orderId))).toBe(1);
    // A report about the withdrawn parcel does not concern the order.
    const report = { eventId: crypto.randomUUID(), type: 'shipment.rejected' };
    const data = { reference: shipmentReference(ref), carrier: '', trackingNumber: '' };
    const before = await shop.db.$count(commands);
    expect(await recordCarrierWebhook(shop.db, { ...report, data })).toBe('ignored');
    expect(await shop.db.$count(commands)).toBe(before);
  });

  it('can be corrected back', async () => {
    const ref = await correctedOrder();
    await expect(ship(ref)).rejects.toMatchObject({ type: 'warehouse_unavailable' });
    await correct(ref, '1 Dorset Street');
    await ship(ref);
    expect(parcels(ref)).toEqual(['1 Dorset Street: cancelled', '1 Dorset Street: accepted']);
  });

  it('is too late if the parcel has left: the order continues with it, and says so', async () => {
    const ref = await correctedOrder();
    await shipOut(ref);
    await expect(ship(ref)).rejects.toMatchObject({ type: 'warehouse_unavailable' });
    await ship(ref);
    expect(parcels(ref)).toEqual(['1 Dorset Street: shipped']);
    const steps = await shop.db.select().from(sagaSteps).where(eq(sagaSteps.orderId, ref.orderId));
    expect(steps.find(({ step }) => step === 'ship')).toMatchObject({
      state: 'done',
      keySerial: 1,
      result: { sentTo: 'the earlier address' },
    });
  });

  it.each([
    ['before the earlier parcel is withdrawn', 0, ['1 Dorset Street: cancelled']],
    ['after another one was requested', 1, ['1 Dorset Street: cancelled', '221B Baker Street: cancelled']],
  ])('leaves no parcel if the order is undone %s', async (_when, attempts, expected) => {
    const ref = await correctedOrder();
    await expect(ship(ref)).rejects.toMatchObject({ type: 'warehouse_unavailable' });
    for (let attempt = 0; attempt < attempts; attempt += 1) await ship(ref);
    const { cancelShipment, refundPayment, releaseStock, endOrder } = shop.activities();
    for (const undo of [cancelShipment, refundPayment, releaseStock]) await runActivity(undo, ref);
    await expect(ship(ref)).rejects.toMatchObject({ type: 'step_undone' });
    expect(parcels(ref)).toEqual(expected);
    await runActivity(endOrder, ref, { status: 'failed', type: 'order_cancelled', message: 'given up' });
    await expectSound(shop, ref.orderId);
  });
});

/** An attempt that stands still before or after its request, until it is released. */
function frozenAttempt(ref: OrderRef, where: 'before' | 'after') {
  const events = new EventEmitter();
  const reached = once(events, 'reached');
  const stand = async () => {
    events.emit('reached');
    await once(events, 'release');
  };
  const real = shop.gateways.warehouse;
  const activities = createWarehouseActivities({
    db: shop.db,
    gateway: {
      ...real,
      async requestShipment(key, request) {
        if (where === 'before') await stand();
        const answer = await real.requestShipment(key, request);
        if (where === 'after') await stand();
        return answer;
      },
    },
  });
  const outcome = runActivity((frozen: OrderRef) => activities.requestShipment(frozen), ref).then(
    () => 'succeeded',
    (error: unknown) => error,
  );
  return { reached, release: () => events.emit('release'), outcome };
}

describe('an attempt that was frozen while the address was corrected', () => {
  it('does not withdraw the parcel to the corrected address', async () => {
    const ref = await chargedOrder();
    const frozen = frozenAttempt(ref, 'before');
    await frozen.reached;
    await correct(ref, '221B Baker Street');
    await ship(ref);
    frozen.release();
    expect(await frozen.outcome).toMatchObject({ type: 'warehouse_unavailable' });
    await ship(ref);
    expect(parcels(ref)).toEqual(['221B Baker Street: accepted']);
  });

  it('does not record the parcel to the earlier address', async () => {
    const ref = await chargedOrder();
    const frozen = frozenAttempt(ref, 'after');
    await frozen.reached;
    await correct(ref, '221B Baker Street');
    await expect(ship(ref)).rejects.toMatchObject({ type: 'warehouse_unavailable' });
    frozen.release();
    expect(await frozen.outcome).toMatchObject({ type: 'key_retired' });
    await ship(ref);
    expect(parcels(ref)).toEqual(['1 Dorset Street: cancelled', '221B Baker Street: accepted']);
  });
});

/** A withdrawal that stands still during its request. @returns what lets that request fail */
async function frozenWithdrawal(ref: OrderRef) {
  const events = new EventEmitter();
  const asked = once(events, 'asked');
  const cancelShipment = async () => {
    events.emit('asked');
    await once(events, 'release');
    throw noAnswer('warehouse', 'The warehouse did not answer.');
  };
  const frozen = createWarehouseActivities({ db: shop.db, gateway: { ...shop.gateways.warehouse, cancelShipment } });
  const attempt = runActivity((order: OrderRef) => frozen.withdrawShipment(order), ref);
  await asked;
  return async () => {
    events.emit('release');
    await expect(attempt).rejects.toMatchObject({ type: 'warehouse_unavailable' });
  };
}

const liveFailures = ({ orderId }: OrderRef) =>
  shop.db.$count(failures, and(eq(failures.orderId, orderId), inArray(failures.status, LIVE_FAILURE_STATUSES)));

describe('a withdrawal that was frozen', () => {
  it('opens no failure when its own request fails after another attempt was answered', async () => {
    const ref = await chargedOrder();
    await ship(ref);
    const fail = await frozenWithdrawal(ref);
    await runActivity(shop.activities().withdrawShipment, ref);
    await fail();
    expect(await liveFailures(ref)).toBe(0);
    expect((await readOrderStory(shop.db, ref.orderId))?.calls[0]?.events.map(({ attempt, type }) => `${attempt} ${type}`)).toEqual([
      '1 started',
      '2 started',
      '2 done',
      '1 failed',
    ]);
  });

  it('opens none after a person has settled it', async () => {
    const ref = await chargedOrder();
    await ship(ref);
    const fail = await frozenWithdrawal(ref);
    const { failureId } = await openFailureOf(shop.db, ref, { kind: 'compensation' });
    await runActivity(shop.activities().recordSettlement, ref, { failureId, step: 'ship', actor: 'key:operator' });
    await fail();
    expect(await liveFailures(ref)).toBe(0);
  });
});
