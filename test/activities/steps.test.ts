import { ApplicationFailure } from '@temporalio/common';
import { msToNumber } from '@temporalio/common/lib/time.js';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { and, eq, sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createActivityInterceptor } from '../../src/activities/interceptors.ts';
import { createWarehouseActivities } from '../../src/activities/warehouse.ts';
import { shipmentReference, type OrderRef } from '../../src/contracts/ids.ts';
import { RETRY_PROFILES } from '../../src/contracts/retry-profiles.ts';
import type { OrderStep } from '../../src/contracts/statuses.ts';
import { connectDatabase, type DatabaseHandle } from '../../src/db/client.ts';
import { failures, orders, sagaSteps } from '../../src/db/schema.ts';
import { transaction } from '../../src/db/transaction.ts';
import { createLogger } from '../../src/log.ts';
import { retryFailure } from '../../src/operate/failures.ts';
import { isStep, hasBegun } from '../../src/records/saga-steps.ts';
import { expectSound, invoiceNumbers, stockTotals } from '../support/audit.ts';
import { holdAnswersOf } from '../support/held-warehouse.ts';
import { waitingForRows } from '../support/lock-waits.ts';
import { createPauses, type Pauses } from '../support/pauses.ts';
import { createShop, runActivity, type Shop } from '../support/shop.ts';

/** The connection of an attempt that has timed out but is still running. */
const LATE = 'late';

let shop: Shop;
let late: DatabaseHandle;
let pauses: Pauses;
beforeAll(async () => {
  shop = await createShop();
  late = connectDatabase(shop.environment.DATABASE_URL, { max: 5, name: LATE });
  pauses = await createPauses(shop.environment.DATABASE_URL);
});
afterEach(() => shop.warehouse.faults.clear());
afterAll(async () => {
  await pauses.close();
  await late.close();
  await shop.close();
});

const typeOf = (attempt: PromiseSettledResult<unknown>): unknown =>
  attempt.status === 'rejected' && attempt.reason instanceof Error && 'type' in attempt.reason
    ? attempt.reason.type
    : attempt.status;

/** @returns `step: state` of all steps and compensations */
async function saga({ orderId }: OrderRef): Promise<string[]> {
  const rows = await shop.db.select().from(sagaSteps).where(and(eq(sagaSteps.orderId, orderId), hasBegun)).orderBy(sagaSteps.startedAt);
  return rows.map(({ kind, step, state }) => `${kind === 'step' ? '' : 'undo '}${step}: ${state}`);
}

/** Holds the lock of a step that has begun while `during` runs. Those who wait for it get it in the order of their requests. */
async function holding(ref: OrderRef, step: OrderStep, during: () => Promise<void>): Promise<void> {
  await transaction(shop.db, async (tx) => {
    await tx.select().from(sagaSteps).where(isStep({ ...ref, step, kind: 'step' })).for('update');
    await during();
  });
}

describe('two attempts of a step at the same moment', () => {
  it.each(['reserveStock', 'requestShipment', 'issueInvoice'] as const)('%s has one effect', async (activity) => {
    const before = await stockTotals(shop.db);
    const ref = await shop.placeOrder();
    const attempts = [shop.activities(), shop.activities(late.db), shop.activities()];
    await Promise.all(attempts.map((activities) => runActivity<[OrderRef], unknown>(activities[activity], ref)));
    expect(await saga(ref)).toEqual([expect.stringMatching(/: done$/)]);
    expect(await stockTotals(shop.db)).toEqual(before);
    const parcels = shop.warehouse.ledger().filter((entry) => 'reference' in entry && entry.reference === shipmentReference(ref));
    expect(parcels).toHaveLength(activity === 'requestShipment' ? 1 : 0);
    expect(await invoiceNumbers(shop.db)).toHaveLength(activity === 'issueInvoice' ? 1 : 0);
  });

  it.each(['releaseStock', 'voidInvoice', 'cancelShipment', 'refundPayment'] as const)('%s undoes once', async (activity) => {
    const before = await stockTotals(shop.db);
    const ref = await shop.placeOrder();
    const { reserveStock, chargePayment, requestShipment, issueInvoice } = shop.activities();
    for (const step of [reserveStock, chargePayment, requestShipment, issueInvoice]) await runActivity<[OrderRef], unknown>(step, ref);
    await Promise.allSettled(
      [shop.activities(), shop.activities(late.db)].map((activities) => runActivity(activities[activity], ref)),
    );
    // The provider may reject one of two concurrent refunds: retry, as Temporal would.
    await runActivity(shop.activities()[activity], ref);
    expect((await saga(ref)).filter((line) => line.startsWith('undo ') && line.endsWith(': done'))).toHaveLength(1);
    expect(await stockTotals(shop.db)).toEqual(before);
    const refunds = shop.payments.ledger().filter(({ type }) => type === 'refund.created');
    expect(refunds).toHaveLength(activity === 'refundPayment' ? 1 : 0);
  });
});

describe('a late attempt, after its compensation has started', () => {
  it.each([
    ['reserveStock', 'releaseStock'],
    ['chargePayment', 'refundPayment'],
    ['requestShipment', 'cancelShipment'],
    ['issueInvoice', 'voidInvoice'],
  ] as const)('%s commits nothing', async (step, compensation) => {
    const before = await stockTotals(shop.db);
    const ref = await shop.placeOrder();
    const activities = shop.activities();
    await runActivity(activities[compensation], ref);
    const [attempt] = await Promise.allSettled([runActivity<[OrderRef], unknown>(activities[step], ref)]);
    expect(typeOf(attempt)).toBe('step_undone');
    expect(await stockTotals(shop.db)).toEqual(before);
    await endedBadly(ref);
    await expectSound(shop, ref.orderId);
  });

  it('reserves nothing if it had started before', async () => {
    const ref = await shop.placeOrder();
    const pause = await pauses.before({
      table: 'reservations',
      on: 'insert',
      when: `new.order_id = '${ref.orderId}'`,
      connection: LATE,
    });
    const attempt = Promise.allSettled([runActivity(shop.activities(late.db).reserveStock, ref)]);
    await pause.reached();
    // The attempt holds the lock of the step. The first one to get it commits first, and the other one sees that.
    const undone = runActivity(shop.activities().releaseStock, ref);
    await expect.poll(() => waitingForRows(shop.db)).toBe(1);
    await pause.resume();
    await undone;
    expect(typeOf((await attempt)[0])).toBe('fulfilled');
    expect(await saga(ref)).toEqual(['reserve: undone', 'undo reserve: done']);
    await endedBadly(ref);
    await expectSound(shop, ref.orderId);
  });
});

const cancel = (ref: OrderRef) =>
  shop.db.update(orders).set({ cancellationStatus: 'requested', cancellationRequestedAt: sql`now()` }).where(eq(orders.id, ref.orderId));

describe('a step of an order whose cancellation was accepted', () => {
  it.each(['chargePayment', 'requestShipment'] as const)('does not begin: %s', async (activity) => {
    const ref = await shop.placeOrder();
    await cancel(ref);
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      await expect(runActivity(shop.activities()[activity], ref)).rejects.toMatchObject({ type: 'order_cancelled' });
    }
    expect(await saga(ref)).toEqual([]);
    expect(shop.warehouse.ledger().filter((entry) => 'reference' in entry && entry.reference === shipmentReference(ref))).toEqual([]);
  });

  it('does not begin either if it was parked before its first attempt', async () => {
    const ref = await shop.placeOrder();
    await runActivity(shop.activities().parkOrder, ref, 'charge', { errorType: 'database_error', errorMessage: 'away' });
    await cancel(ref);
    await expect(runActivity(shop.activities().chargePayment, ref)).rejects.toMatchObject({ type: 'order_cancelled' });
    expect(paid(ref)).toBe(0);
  });

  it('is finished if it was attempted before, because it may have succeeded', async () => {
    const ref = await shop.placeOrder();
    shop.warehouse.faults.set({ mode: 'drop_after_commit', count: 1 });
    await expect(runActivity(shop.activities().requestShipment, ref)).rejects.toMatchObject({ type: 'warehouse_unavailable' });
    await cancel(ref);
    await runActivity(shop.activities().requestShipment, ref);
    expect(await saga(ref)).toEqual(['ship: done']);
  });
});

describe('a compensation while its step is between the outside call and the commit', () => {
  it('refunds what has just been paid, and the step commits nothing', async () => {
    const ref = await shop.placeOrder();
    const pause = await pauses.before({
      table: 'payments',
      on: 'insert',
      when: `new.order_id = '${ref.orderId}'`,
      connection: LATE,
    });
    const attempt = Promise.allSettled([runActivity(shop.activities(late.db).chargePayment, ref)]);
    await pause.reached();
    let undone: Promise<void> = Promise.resolve();
    await holding(ref, 'charge', async () => {
      // Locks are granted in the order of requests: the compensation first.
      undone = runActivity(shop.activities().refundPayment, ref);
      await expect.poll(() => waitingForRows(shop.db)).toBe(1);
      await pause.resume();
      await expect.poll(() => waitingForRows(shop.db)).toBe(2);
    });
    expect(paid(ref)).toBe(1780);
    await undone;
    expect(typeOf((await attempt)[0])).toBe('step_undone');
    await endedBadly(ref);
    await expectSound(shop, ref.orderId);
  });

  it('cancels a shipment that has just been accepted, and the step commits nothing', async () => {
    const ref = await shop.placeOrder();
    const { gateway, accepted, letGo } = holdAnswersOf(shop.gateways.warehouse);
    const activities = createWarehouseActivities({ db: late.db, gateway });
    const attempt = Promise.allSettled([runActivity((order: OrderRef) => activities.requestShipment(order), ref)]);
    await accepted;
    let undone: Promise<void> = Promise.resolve();
    await holding(ref, 'ship', async () => {
      // Locks are granted in the order of requests: the compensation first.
      undone = runActivity(shop.activities().cancelShipment, ref);
      await expect.poll(() => waitingForRows(shop.db)).toBe(1);
      letGo();
      await expect.poll(() => waitingForRows(shop.db)).toBe(2);
    });
    await undone;
    expect(typeOf((await attempt)[0])).toBe('step_undone');
    await endedBadly(ref);
    await expectSound(shop, ref.orderId);
  });
});

describe('an attempt that timed out before it stored its payment', () => {
  it('charges nothing after the compensation', async () => {
    const ref = await shop.placeOrder();
    const pause = await pauses.before({
      table: 'payments',
      on: 'insert',
      when: `new.order_id = '${ref.orderId}'`,
      connection: LATE,
    });
    const attempt = Promise.allSettled([runActivity(shop.activities(late.db).chargePayment, ref)]);
    await pause.reached();
    await runActivity(shop.activities().refundPayment, ref);
    await pause.resume();
    expect(typeOf((await attempt)[0])).toBe('payment_unavailable');
    expect(paid(ref)).toBe(0);
    await endedBadly(ref);
    await expectSound(shop, ref.orderId);
  });

  it('keeps no money that it charges while the compensation runs', async () => {
    const ref = await shop.placeOrder();
    const pause = await pauses.before({
      table: 'payments',
      on: 'insert',
      when: `new.order_id = '${ref.orderId}'`,
      connection: LATE,
    });
    const attempt = Promise.allSettled([runActivity(shop.activities(late.db).chargePayment, ref)]);
    await pause.reached();
    const undone = Promise.allSettled([runActivity(shop.activities().refundPayment, ref)]);
    await pause.resume();
    await Promise.all([attempt, undone]);
    // If the two collided at the provider, the compensation failed: retry, as Temporal would.
    await runActivity(shop.activities().refundPayment, ref);
    expect(await saga(ref)).toContain('undo charge: done');
    await endedBadly(ref);
    await expectSound(shop, ref.orderId);
  });
});

const invoiceStep = async ({ orderId }: OrderRef) =>
  (await shop.db.select().from(sagaSteps).where(eq(sagaSteps.orderId, orderId)))[0];

const failsToInvoice = (ref: OrderRef) =>
  expect(runActivity(shop.activities().issueInvoice, ref)).rejects.toThrow(/invoices/);

/** Makes writing the invoice of an order fail while `during` runs. */
async function failingToInvoice(ref: OrderRef, during: () => Promise<void>): Promise<void> {
  const when = sql.raw(`new.order_id = '${ref.orderId}'`);
  await shop.db.execute(sql`create or replace function fail() returns trigger language plpgsql as $$ begin raise 'broken'; end $$`);
  await shop.db.execute(sql`create trigger fail before insert on invoices for each row when (${when}) execute function fail()`);
  await during();
  await shop.db.execute(sql`drop trigger fail on invoices`);
}


describe('a step that only uses Postgres', () => {
  it('leaves nothing of a failed attempt but its error, and counts it', async () => {
    const ref = await shop.placeOrder();
    await failingToInvoice(ref, async () => {
      await failsToInvoice(ref);
      await failsToInvoice(ref);
    });
    expect(await invoiceStep(ref)).toMatchObject({ state: 'retrying', attempts: 2, errorType: 'database_error', result: null });
    await runActivity(shop.activities().issueInvoice, ref);
    expect(await invoiceStep(ref)).toMatchObject({ state: 'done', attempts: 3, errorType: null });
  });

  it('shows as retrying only once a retry of its parked order was requested', async () => {
    const ref = await shop.placeOrder();
    await failingToInvoice(ref, async () => {
      await failsToInvoice(ref);
      const error = { errorType: 'database_error', errorMessage: 'broken' };
      const parked = await runActivity(shop.activities().parkOrder, ref, 'invoice', error);
      await failsToInvoice(ref);
      expect(await invoiceStep(ref)).toMatchObject({ state: 'exhausted', attempts: 1 });
      await retryFailure.perform(shop, parked?.failureId ?? '', { reason: 'fixed' }, 'key:operator');
      await failsToInvoice(ref);
      expect(await invoiceStep(ref)).toMatchObject({ state: 'retrying', attempts: 2 });
    });
    await runActivity(shop.activities().issueInvoice, ref);
    expect(await invoiceStep(ref)).toMatchObject({ state: 'done' });
    expect(await failureOf(ref)).toMatchObject({ status: 'resolved' });
  });
});

/** Runs an activity as a worker does: with a retry policy, and through the interceptor. @returns its error */
async function attemptOf(activity: 'cancelShipment' | 'withdrawShipment', ref: OrderRef, number: number) {
  const environment = new MockActivityEnvironment(
    { attempt: number, retryPolicy: RETRY_PROFILES.compensation.retry },
    { logger: new DefaultLogger('ERROR'), interceptors: [createActivityInterceptor(createLogger('test', 'fatal'))] },
  );
  const [result] = await Promise.allSettled([environment.run(() => shop.activities()[activity](ref))]);
  const error: unknown = result.status === 'rejected' ? result.reason : undefined;
  return error instanceof ApplicationFailure ? error : undefined;
}

const failureOf = async ({ orderId }: OrderRef) =>
  (await shop.db.select().from(failures).where(eq(failures.orderId, orderId)))[0];

describe('a compensation that fails', () => {
  it('opens a failure at once, is retryable whatever the error, and is resolved when it succeeds', async () => {
    const ref = await shop.placeOrder();
    await runActivity(shop.activities().requestShipment, ref);
    shop.warehouse.faults.set({ mode: 'error_before' });
    const [attempt] = await Promise.allSettled([runActivity(shop.activities().cancelShipment, ref)]);
    expect(attempt).toMatchObject({ reason: { type: 'warehouse_unavailable', nonRetryable: false } });
    const ofOrder = eq(failures.orderId, ref.orderId);
    expect(await shop.db.select().from(failures).where(ofOrder)).toMatchObject([
      { kind: 'compensation', step: 'ship', status: 'open', errorType: 'warehouse_unavailable', attempts: 1 },
    ]);
    shop.warehouse.faults.clear();
    await runActivity(shop.activities().cancelShipment, ref);
    expect(await shop.db.select().from(failures).where(ofOrder)).toMatchObject([{ status: 'resolved' }]);
  });

  it.each(['cancelShipment', 'withdrawShipment'] as const)('shows when Temporal will retry it (%s)', async (activity) => {
    const ref = await shop.placeOrder();
    shop.warehouse.faults.set({ mode: 'error_before' });
    for (const number of [1, 4, 40]) {
      const error = await attemptOf(activity, ref, number);
      const delay = Number(error?.nextRetryDelay);
      expect(delay).toBeLessThanOrEqual(1.2 * msToNumber(RETRY_PROFILES.compensation.retry.maximumInterval));
      const left = Number((await failureOf(ref))?.nextRetryAt) - Date.now();
      expect(left).toBeLessThanOrEqual(delay);
      expect(left).toBeGreaterThan(delay - 5_000);
    }
    shop.warehouse.faults.clear();
    expect(await attemptOf(activity, ref, 41)).toBeUndefined();
    expect(await failureOf(ref)).toMatchObject({ status: 'resolved', nextRetryAt: null });
  });

  it('shows no next attempt once it has been settled by hand', async () => {
    const ref = await shop.placeOrder();
    shop.warehouse.faults.set({ mode: 'error_before' });
    await attemptOf('cancelShipment', ref, 1);
    const { id = '', nextRetryAt } = (await failureOf(ref)) ?? {};
    expect(nextRetryAt).toBeInstanceOf(Date);
    const settlement = { failureId: id, step: 'ship', actor: 'key:operator' } as const;
    await runActivity(shop.activities().recordSettlement, ref, settlement);
    expect(await failureOf(ref)).toMatchObject({ status: 'settled', nextRetryAt: null });
  });
});

/** @returns what the provider has captured for an order, without refunds */
const paid = ({ orderId }: OrderRef): number =>
  shop.payments
    .ledger()
    .reduce(
      (total, entry) =>
        entry.type === 'payment_intent.succeeded' && entry.metadata['orderId'] === orderId ? total + entry.amount : total,
      0,
    );

/** Ends the order, as the workflow does once everything is undone. */
const endedBadly = (ref: OrderRef): Promise<void> =>
  runActivity(shop.activities().endOrder, ref, { status: 'failed', type: 'order_cancelled', message: 'given up' });
