import { ApplicationFailure } from '@temporalio/common';
import { eq, sql } from 'drizzle-orm';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { createWarehouseActivities } from '../../src/activities/warehouse.ts';
import type { OrderRef } from '../../src/contracts/ids.ts';
import { connectDatabase } from '../../src/db/client.ts';
import { attemptEvents, commands, failureEvents, failures, orderEvents, orders, sagaSteps, shipments } from '../../src/db/schema.ts';
import { retryFailure } from '../../src/operate/failures.ts';
import { holdAnswersOf } from '../support/held-warehouse.ts';
import { createPauses } from '../support/pauses.ts';
import { runActivity, useShop } from '../support/shop.ts';

/** The connection of an attempt that Temporal has given up, but that is still running. */
const LATE = 'late';

const shop = await useShop();
const late = connectDatabase(shop.environment.DATABASE_URL, { max: 5, name: LATE });
const pauses = await createPauses(shop.environment.DATABASE_URL);
afterEach(() => shop.warehouse.faults.clear());
afterAll(async () => {
  await pauses.close();
  await late.close();
});

const TIMED_OUT = { errorType: 'timeout', errorMessage: 'activity timed out' };

/** @returns an order that waits for its warehouse */
async function chargedOrder(): Promise<OrderRef> {
  const ref = await shop.placeOrder();
  const { reserveStock, chargePayment } = shop.activities();
  for (const step of [reserveStock, chargePayment]) await runActivity<[OrderRef], unknown>(step, ref);
  return ref;
}

const park = (ref: OrderRef) => runActivity(shop.activities().parkOrder, ref, 'ship', TIMED_OUT);

const statusOf = async ({ orderId }: OrderRef) =>
  (await shop.db.select().from(orders).where(eq(orders.id, orderId)))[0]?.status;

const failureOf = async ({ orderId }: OrderRef) =>
  (await shop.db.select().from(failures).where(eq(failures.orderId, orderId)))[0];

const shipStep = async ({ orderId }: OrderRef) =>
  (await shop.db.select().from(sagaSteps).where(eq(sagaSteps.orderId, orderId))).find(({ step }) => step === 'ship');

/** @returns what the run of an order is told about its parkings, oldest first */
async function answersTo({ orderId }: OrderRef): Promise<unknown[]> {
  const rows = await shop.db
    .select({ body: commands.body })
    .from(commands)
    .where(sql`${commands.body} @> ${JSON.stringify({ type: 'resolve_failure', orderId })}::jsonb`)
    .orderBy(commands.id);
  return rows.map(({ body }) => body);
}

/** Parks an order while the warehouse is still answering. @returns ends the attempt, and waits for it */
async function parkedDuringAttempt(ref: OrderRef): Promise<() => Promise<void>> {
  const { gateway, accepted, letGo } = holdAnswersOf(shop.gateways.warehouse);
  const activities = createWarehouseActivities({ db: late.db, gateway });
  const attempt = runActivity((order: OrderRef) => activities.requestShipment(order), ref);
  await accepted;
  await park(ref);
  expect(await statusOf(ref)).toBe('needs_attention');
  return async () => {
    letGo();
    await attempt;
  };
}

/** @returns the type of the error that an activity failed with */
const typeOf = (outcome: PromiseSettledResult<unknown>): unknown =>
  outcome.status === 'rejected' && outcome.reason instanceof ApplicationFailure ? outcome.reason.type : undefined;

describe('parking a step', () => {
  it('changes nothing if the step is done: only the answer of its last attempt was lost', async () => {
    const ref = await chargedOrder();
    await runActivity(shop.activities().requestShipment, ref);
    expect(await park(ref)).toBeUndefined();
    expect(await shipStep(ref)).toMatchObject({ state: 'done' });
    expect(await statusOf(ref)).toBe('fulfilling');
    expect(await failureOf(ref)).toBeUndefined();
    // The run then tries the step again, and finds it done.
    await runActivity(shop.activities().requestShipment, ref);
    expect(await shop.db.$count(shipments, eq(shipments.orderId, ref.orderId))).toBe(1);
  });

  it('waits for an attempt that is just committing', async () => {
    const ref = await chargedOrder();
    const pause = await pauses.before({
      table: 'shipments',
      on: 'insert',
      when: `new.order_id = '${ref.orderId}'`,
      connection: LATE,
    });
    const attempt = runActivity(shop.activities(late.db).requestShipment, ref);
    await pause.reached();
    const parked = park(ref);
    await pause.resume();
    await attempt;
    expect(await parked).toBeUndefined();
    expect(await statusOf(ref)).toBe('fulfilling');
    expect(await failureOf(ref)).toBeUndefined();
  });
});

describe('a late attempt of a parked step', () => {
  it('resolves the failure and wakes the run', async () => {
    const ref = await chargedOrder();
    const attempt = await parkedDuringAttempt(ref);
    await attempt();
    expect(await statusOf(ref)).toBe('fulfilling');
    const failure = await failureOf(ref);
    expect(failure).toMatchObject({ status: 'resolved' });
    const answer = { failureId: failure?.id, occurrence: 1, action: 'retry', actor: 'holdfast' };
    expect(await answersTo(ref)).toMatchObject([{ message: answer }]);
    expect(await shop.db.select().from(failureEvents).where(eq(failureEvents.failureId, failure?.id ?? ''))).toMatchObject([
      { type: 'opened' },
      { type: 'resolved' },
    ]);
    // The run resumes: it must not return to the status of before.
    const parking = { failureId: failure?.id ?? '', occurrence: 1 };
    expect(await runActivity(shop.activities().resumeOrder, ref, parking)).toBe('fulfilling');
    expect(await statusOf(ref)).toBe('fulfilling');
  });

  it('that an operator retries meanwhile leaves the run with one answer, and the order with one parcel', async () => {
    const ref = await chargedOrder();
    const attempt = await parkedDuringAttempt(ref);
    const failure = await failureOf(ref);
    await retryFailure.perform(shop, failure?.id ?? '', { reason: 'try again' }, 'key:operator');
    await attempt();
    expect(await failureOf(ref)).toMatchObject({ status: 'resolved' });
    expect(await answersTo(ref)).toMatchObject([{ message: { action: 'retry', actor: 'key:operator' } }]);
    await runActivity(shop.activities().resumeOrder, ref, { failureId: failure?.id ?? '', occurrence: 1 });
    await runActivity(shop.activities().requestShipment, ref);
    expect(await statusOf(ref)).toBe('fulfilling');
    expect(await shop.db.$count(shipments, eq(shipments.orderId, ref.orderId))).toBe(1);
  });
});

/** @returns an order in the warehouse */
async function fulfillingOrder(): Promise<OrderRef> {
  const ref = await chargedOrder();
  await runActivity(shop.activities().requestShipment, ref);
  return ref;
}

const end = async (ref: OrderRef) => {
  await runActivity(shop.activities().beginCompensation, ref);
  const failed = { status: 'failed', type: 'card_declined', message: 'declined' } as const;
  await runActivity(shop.activities().endOrder, ref, failed);
};
const rowsOf = async ({ orderId }: OrderRef) => ({
  order: await shop.db.select().from(orders).where(eq(orders.id, orderId)),
  events: await shop.db.select().from(orderEvents).where(eq(orderEvents.orderId, orderId)),
  shipments: await shop.db.select().from(shipments).where(eq(shipments.orderId, orderId)),
  failures: await shop.db.select().from(failures).where(eq(failures.orderId, orderId)),
  steps: await shop.db.select().from(sagaSteps).where(eq(sagaSteps.orderId, orderId)),
});
const historyOf = async ({ orderId }: OrderRef) => ({
  statuses: (await rowsOf({ orderId, generation: 1 })).events.map(({ status, cancellation }) => status ?? cancellation),
  attempts: await shop.db.select().from(attemptEvents).where(eq(attemptEvents.orderId, orderId)),
  failures: await shop.db
    .select({ type: failureEvents.type })
    .from(failureEvents)
    .innerJoin(failures, eq(failures.id, failureEvents.failureId))
    .where(eq(failures.orderId, orderId)),
});
const parcel = { generation: 1, type: 'shipped', carrier: 'Parcel Post', trackingNumber: 'PP1' } as const;
const REQUESTED = { cancellationStatus: 'requested', cancellationReason: 'changed my mind', cancellationRequestedAt: new Date() } as const;
const APPROVED = { decision: 'approve', reason: 'checked', actor: 'key:operator' } as const;

describe('a frozen worker that wakes up after its attempt was given up', () => {
  type Late = (activities: ReturnType<typeof shop.activities>, ref: OrderRef) => Promise<unknown>;
  const lateWrites: [string, Late][] = [
    ['beginCompensation', ({ beginCompensation }, ref) => runActivity(beginCompensation, ref)],
    ['requestApproval', ({ requestApproval }, ref) => runActivity(requestApproval, ref)],
    ['recordApproval', ({ recordApproval }, ref) => runActivity(recordApproval, ref, APPROVED)],
    ['parkOrder', ({ parkOrder }, ref) => runActivity(parkOrder, ref, 'invoice', TIMED_OUT)],
    ['recordLateShipment', ({ recordLateShipment }, ref) => runActivity(recordLateShipment, ref)],
    ['recordCancellationRefused', ({ recordCancellationRefused }, ref) => runActivity(recordCancellationRefused, ref)],
    ['completeOrder', ({ completeOrder }, ref) => runActivity(completeOrder, ref, { delivered: false })],
  ];

  it.each(lateWrites)('changes nothing of an order that has failed: %s', async (_name, write) => {
    const ref = await fulfillingOrder();
    await runActivity(shop.activities().requestApproval, ref);
    await shop.db.update(orders).set(REQUESTED).where(eq(orders.id, ref.orderId));
    await end(ref);
    const before = await rowsOf(ref);
    const [outcome] = await Promise.allSettled([write(shop.activities(), ref)]);
    expect([undefined, 'order_ended']).toContain(typeOf(outcome));
    expect(await rowsOf(ref)).toEqual(before);
  });

  it.each(lateWrites)('changes nothing of the next generation: %s', async (_name, write) => {
    const ref = await fulfillingOrder();
    await runActivity(shop.activities().requestApproval, ref);
    const next = { generation: 2, status: 'accepted', ...REQUESTED } as const;
    await shop.db.update(orders).set(next).where(eq(orders.id, ref.orderId));
    const before = await rowsOf(ref);
    const [outcome] = await Promise.allSettled([write(shop.activities(), ref)]);
    expect([undefined, 'order_ended']).toContain(typeOf(outcome));
    const { order, events, failures: opened } = await rowsOf(ref);
    expect({ order, events, failures: opened }).toEqual({
      order: before.order,
      events: before.events,
      failures: before.failures,
    });
  });

  it('reports no late shipment of an order that has been shipped', async () => {
    const ref = await fulfillingOrder();
    await runActivity(shop.activities().recordShipped, ref, parcel);
    await runActivity(shop.activities().recordLateShipment, ref);
    expect((await rowsOf(ref)).failures).toEqual([]);
  });

  it('decides about an approval as before, if its run asks again because its worker died after the end', async () => {
    const ref = await shop.placeOrder();
    await runActivity(shop.activities().requestApproval, ref);
    const rejected = { decision: 'reject', actor: 'holdfast' } as const;
    await runActivity(shop.activities().recordApproval, ref, rejected);
    await end(ref);
    const before = await rowsOf(ref);
    expect(await runActivity(shop.activities().recordApproval, ref, rejected)).toEqual({ decision: 'reject' });
    expect(await rowsOf(ref)).toEqual(before);
  });

  it('takes no order back to where it was', async () => {
    const ref = await fulfillingOrder();
    await runActivity(shop.activities().requestApproval, ref);
    await runActivity(shop.activities().recordApproval, ref, APPROVED);
    expect(await statusOf(ref)).toBe('fulfilling');
    await runActivity(shop.activities().recordShipped, ref, parcel);
    await runActivity(shop.activities().completeOrder, ref, { delivered: true });
    await runActivity(shop.activities().recordShipped, ref, parcel);
    expect(await statusOf(ref)).toBe('completed');
    expect((await rowsOf(ref)).shipments).toMatchObject([{ state: 'delivered' }]);
  });

  it('does not resume an order that has parked again', async () => {
    const ref = await chargedOrder();
    const first = await park(ref);
    if (!first) throw new Error('The order has not parked.');
    await retryFailure.perform(shop, first.failureId, { reason: 'try again' }, 'key:operator');
    expect(await runActivity(shop.activities().resumeOrder, ref, first)).toBe('charged');
    expect(await park(ref)).toMatchObject({ occurrence: 2 });
    await runActivity(shop.activities().resumeOrder, ref, first);
    expect(await statusOf(ref)).toBe('needs_attention');
  });
});

type Repeated = (activities: ReturnType<typeof shop.activities>, ref: OrderRef) => Promise<unknown>;
const shipped: Repeated = ({ recordShipped }, ref) => runActivity(recordShipped, ref, parcel);
const began: Repeated = ({ beginCompensation }, ref) => runActivity(beginCompensation, ref);
const asked: Repeated = ({ requestApproval }, ref) => runActivity(requestApproval, ref);

describe('an activity that is repeated because its answer was lost', () => {
  it.each<[string, { of: () => Promise<OrderRef>; after?: Repeated[]; write: Repeated }]>([
    ['requestApproval', { of: () => shop.placeOrder(), write: asked }],
    ['recordApproval', { of: () => shop.placeOrder(), after: [asked], write: ({ recordApproval }, ref) => runActivity(recordApproval, ref, APPROVED) }],
    ['parkOrder', { of: chargedOrder, write: (_activities, ref) => park(ref) }],
    ['recordLateShipment', { of: fulfillingOrder, write: ({ recordLateShipment }, ref) => runActivity(recordLateShipment, ref) }],
    ['recordShipped', { of: fulfillingOrder, write: shipped }],
    ['completeOrder', { of: fulfillingOrder, after: [shipped], write: ({ completeOrder }, ref) => runActivity(completeOrder, ref, { delivered: true }) }],
    ['beginCompensation', { of: fulfillingOrder, write: began }],
    [
      'endOrder',
      {
        of: fulfillingOrder,
        after: [began],
        write: ({ endOrder }, ref) => runActivity(endOrder, ref, { status: 'failed', type: 'card_declined', message: 'declined' }),
      },
    ],
    ['recordCancellationRefused', { of: cancelledTooLate, write: ({ recordCancellationRefused }, ref) => runActivity(recordCancellationRefused, ref) }],
  ])('adds nothing to the history of its order: %s', async (_name, { of, after = [], write }) => {
    const ref = await of();
    for (const earlier of after) await earlier(shop.activities(), ref);
    const before = await historyOf(ref);
    await write(shop.activities(), ref);
    const once = await historyOf(ref);
    expect(once).not.toEqual(before);
    await write(shop.activities(), ref);
    expect(await historyOf(ref)).toEqual(once);
  });

  it('asks for no approval again that was given meanwhile', async () => {
    const ref = await shop.placeOrder();
    await asked(shop.activities(), ref);
    await runActivity(shop.activities().recordApproval, ref, APPROVED);
    const before = await historyOf(ref);
    await asked(shop.activities(), ref);
    expect(await statusOf(ref)).toBe('reserved');
    expect(await historyOf(ref)).toEqual(before);
  });
});

/** @returns an order in the warehouse whose cancellation was requested */
async function cancelledTooLate(): Promise<OrderRef> {
  const ref = await fulfillingOrder();
  await shop.db.update(orders).set(REQUESTED).where(eq(orders.id, ref.orderId));
  return ref;
}
