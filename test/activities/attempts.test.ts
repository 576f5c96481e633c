import { hostname } from 'node:os';
import { CancelledFailure } from '@temporalio/common';
import { eq, sql } from 'drizzle-orm';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { defineStep } from '../../src/activities/steps.ts';
import { createWarehouseActivities } from '../../src/activities/warehouse.ts';
import type { OrderRef } from '../../src/contracts/ids.ts';
import { connectDatabase } from '../../src/db/client.ts';
import { attemptEvents, failures, sagaSteps } from '../../src/db/schema.ts';
import { readAttempts } from '../../src/queries/attempts.ts';
import { readOrderStory, readSteps } from '../../src/queries/order-story.ts';
import { holdAnswersOf } from '../support/held-warehouse.ts';
import { startProxy } from '../support/proxy.ts';
import { runActivity, useShop } from '../support/shop.ts';

const shop = await useShop();
afterEach(() => shop.heal());

const DOWN = { errorType: 'warehouse_unavailable', errorMessage: 'down' };
const OURS = `${process.pid}@${hostname()}`;

const run = (ref: OrderRef, ...names: ('reserveStock' | 'chargePayment' | 'requestShipment' | 'issueInvoice')[]) =>
  names.reduce<Promise<unknown>>(
    (before, name) => before.then(() => runActivity<[OrderRef], unknown>(shop.activities()[name], ref)),
    Promise.resolve(),
  );

/** @returns what is shown of the attempts of an order: `ship 1 failed` */
async function shown({ orderId }: OrderRef): Promise<string[]> {
  const steps = await readSteps(shop.db, orderId);
  return steps.flatMap(({ step, kind, events }) =>
    events.map(({ attempt, type }) => `${kind === 'compensation' ? 'undo ' : ''}${step} ${attempt} ${type}`),
  );
}

/** @returns what is shown of the attempts to stop the parcel of an order */
async function withdrawals({ orderId }: OrderRef): Promise<string[]> {
  const calls = (await readOrderStory(shop.db, orderId))?.calls ?? [];
  return calls.flatMap(({ events }) => events.map(({ attempt, type }) => `${attempt} ${type}`));
}

const entries = ({ orderId }: OrderRef) =>
  shop.db.select().from(attemptEvents).where(eq(attemptEvents.orderId, orderId)).orderBy(attemptEvents.id);

const fails = (attempt: Promise<unknown>, type: string) => expect(attempt).rejects.toMatchObject({ type });

describe('the record of attempts', () => {
  it('has each step of an order that goes well, with its worker and how long it took', async () => {
    const ref = await shop.placeOrder();
    await run(ref, 'reserveStock', 'chargePayment', 'requestShipment', 'issueInvoice');
    expect(await shown(ref)).toEqual([
      'reserve 1 done',
      'charge 1 started',
      'charge 1 done',
      'ship 1 started',
      'ship 1 done',
      'invoice 1 done',
    ]);
    const recorded = await entries(ref);
    expect(recorded.map(({ worker }) => worker)).toEqual(recorded.map(() => OURS));
    const ended = recorded.filter(({ type }) => type === 'done');
    expect(ended.map(({ durationMs }) => Number.isInteger(durationMs))).toEqual(ended.map(() => true));
  });

  it('has every attempt of a warehouse that is down, and that the step was exhausted', async () => {
    const ref = await shop.placeOrder();
    shop.warehouse.faults.set({ mode: 'error_before' });
    for (let attempt = 1; attempt <= 3; attempt += 1) await fails(run(ref, 'requestShipment'), 'warehouse_unavailable');
    // The answer of the first one was lost.
    for (let asked = 1; asked <= 2; asked += 1) await runActivity(shop.activities().parkOrder, ref, 'ship', DOWN);
    shop.heal();
    await run(ref, 'requestShipment');
    expect(await shown(ref)).toEqual([
      'ship 1 started',
      'ship 1 failed',
      'ship 2 started',
      'ship 2 failed',
      'ship 3 started',
      'ship 3 failed',
      'ship 3 exhausted',
      'ship 4 started',
      'ship 4 done',
    ]);
    const failed = (await entries(ref)).filter(({ type }) => type === 'failed');
    const error = { errorType: 'warehouse_unavailable', errorMessage: 'The warehouse is unavailable (500).' };
    expect(failed).toMatchObject(failed.map(() => ({ ...error, worker: OURS, durationMs: expect.any(Number) })));
  });

  it('does not change when a step is undone', async () => {
    const ref = await shop.placeOrder();
    await run(ref, 'reserveStock');
    const before = await readSteps(shop.db, ref.orderId);
    await runActivity(shop.activities().releaseStock, ref);
    const [reserve, release] = await readSteps(shop.db, ref.orderId);
    expect(reserve).toMatchObject({ state: 'undone', events: before[0]?.events ?? [] });
    expect(release).toMatchObject({ kind: 'compensation', events: [{ type: 'undone', attempt: 1 }] });
  });

  it('has what was refused, and what a failing compensation went through until a person settled it', async () => {
    const ref = await shop.placeOrder({ payment: { method: 'pm_card_visa_chargeDeclined' } });
    await fails(run(ref, 'chargePayment'), 'card_declined');
    shop.payments.faults.set({ mode: 'error_before' });
    await fails(runActivity(shop.activities().refundPayment, ref), 'payment_unavailable');
    const [failure] = await shop.db.select().from(failures).where(eq(failures.orderId, ref.orderId));
    const settlement = { failureId: failure?.id ?? '', step: 'charge', actor: 'key:operator' } as const;
    await runActivity(shop.activities().recordSettlement, ref, settlement);
    await runActivity(shop.activities().recordSettlement, ref, settlement);
    expect(await shown(ref)).toEqual([
      'charge 1 started',
      'charge 1 refused',
      'undo charge 1 started',
      'undo charge 1 failed',
      'undo charge 1 settled',
    ]);
  });

  it('has an approval once, however often it is recorded', async () => {
    const ref = await shop.placeOrder();
    await run(ref, 'reserveStock');
    for (let again = 1; again <= 2; again += 1) await runActivity(shop.activities().requestApproval, ref);
    for (let again = 1; again <= 2; again += 1) {
      await runActivity(shop.activities().recordApproval, ref, { decision: 'approve', actor: 'key:operator' });
    }
    expect(await shown(ref)).toEqual(['reserve 1 done', 'approval 1 started', 'approval 1 done']);
  });

  it('has the attempts to send an email', async () => {
    const ref = await shop.placeOrder();
    const send = () => runActivity(shop.activities().sendOrderEmail, ref, 'order_confirmed', 1);
    shop.inbox.faults.set({ mode: 'error_before', count: 1 });
    await fails(send(), 'email_unavailable');
    await send();
    await send();
    expect(await readAttempts(shop.db, ref.orderId)).toMatchObject([
      {
        kind: 'email',
        step: 'order_confirmed',
        events: [
          { attempt: 1, type: 'failed', errorType: 'email_unavailable', worker: OURS },
          { attempt: 2, type: 'done', errorType: null, worker: OURS },
        ],
      },
    ]);
  });

  it('has every time that the warehouse was asked to stop the parcel, for one cancellation after another', async () => {
    const ref = await shop.placeOrder();
    await run(ref, 'requestShipment');
    const withdraw = () => runActivity(shop.activities().withdrawShipment, ref);
    shop.warehouse.faults.set({ mode: 'error_before', count: 1 });
    await fails(withdraw(), 'warehouse_unavailable');
    for (let cancellation = 1; cancellation <= 2; cancellation += 1) await withdraw();
    const error = { errorType: 'warehouse_unavailable', errorMessage: 'The warehouse is unavailable (500).' };
    expect((await readOrderStory(shop.db, ref.orderId))?.calls).toMatchObject([
      {
        kind: 'withdrawal',
        step: 'ship',
        events: [
          { attempt: 1, type: 'started', worker: OURS },
          { attempt: 1, type: 'failed', ...error, durationMs: expect.any(Number), worker: OURS },
          { attempt: 2, type: 'started' },
          { attempt: 2, type: 'done', durationMs: expect.any(Number) },
          { attempt: 3, type: 'started' },
          { attempt: 3, type: 'done' },
        ],
      },
    ]);
    expect(await shown(ref)).toEqual(['ship 1 started', 'ship 1 done']);
  });

  it('gives each attempt of a call a number of its own, even if they begin together', async () => {
    const ref = await shop.placeOrder();
    await run(ref, 'requestShipment');
    const together = [1, 2, 3, 4, 5];
    await Promise.all(together.map(() => runActivity(shop.activities().withdrawShipment, ref)));
    const started = (await entries(ref)).filter(({ kind, type }) => kind === 'withdrawal' && type === 'started');
    expect(started.map(({ attempt }) => attempt)).toEqual(together);
  });

  it('ends after a hundred attempts of one step, whose row counts on, until it is known how the step ended', async () => {
    const ref = await shop.placeOrder();
    const undo = { ...ref, step: 'ship', kind: 'compensation' } as const;
    await shop.db.insert(sagaSteps).values({ ...undo, state: 'retrying', attempts: 99, ...DOWN });
    shop.warehouse.faults.set({ mode: 'error_before', count: 3 });
    const cancel = () => runActivity(shop.activities().cancelShipment, ref);
    for (let attempt = 100; attempt <= 102; attempt += 1) await fails(cancel(), 'warehouse_unavailable');
    await cancel();
    const recorded = await entries(ref);
    expect(recorded.map(({ attempt, type }) => `${attempt} ${type}`)).toEqual(['100 started', '100 failed', '103 undone']);
    const steps = await readSteps(shop.db, ref.orderId);
    expect(steps).toMatchObject([{ kind: 'compensation', state: 'done', attempts: 103 }]);
  });

  it.each([
    ['update', sql`update attempt_events set type = 'done'`],
    ['delete', sql`delete from attempt_events`],
    ['truncate', sql`truncate attempt_events`],
  ])('refuses to be changed: %s', async (_, change) => {
    await run(await shop.placeOrder(), 'reserveStock');
    await expect(shop.db.execute(change)).rejects.toMatchObject({ cause: { message: '"attempt_events" is append-only' } });
  });
});

const unanswered = async (commit: () => Promise<void>) => {
  await commit();
  throw new Error('The answer was lost.');
};

describe('an attempt whose commit is not answered', () => {
  it('is done, and has not failed as well', async () => {
    const ref = await shop.placeOrder();
    const ship = defineStep(shop.db, 'ship');
    const attempts = [
      () => ship.run(ref, sql<null>`null`, (commit) => unanswered(() => commit({}))),
      () => ship.compensate(ref, (commit) => unanswered(() => commit(() => Promise.resolve({})))),
    ];
    for (const attempt of attempts) await expect(runActivity(attempt)).rejects.toThrow('The answer was lost.');
    expect(await shown(ref)).toEqual(['ship 1 started', 'ship 1 done', 'undo ship 1 started', 'undo ship 1 undone']);
  });
});

describe('an attempt that nobody heard of again', () => {
  it('is shown as lost once its order is parked, and no longer if it ends after all', async () => {
    const ref = await shop.placeOrder();
    const { gateway, accepted, letGo } = holdAnswersOf(shop.gateways.warehouse);
    const activities = createWarehouseActivities({ db: shop.db, gateway });
    const hanging = runActivity((order: OrderRef) => activities.requestShipment(order), ref);
    await accepted;
    await expect.poll(() => shown(ref)).toEqual(['ship 1 started']);
    await runActivity(shop.activities().parkOrder, ref, 'ship', DOWN);
    expect(await shown(ref)).toEqual(['ship 1 started', 'ship 1 lost', 'ship 1 exhausted']);
    letGo();
    await hanging;
    expect(await shown(ref)).toEqual(['ship 1 started', 'ship 1 exhausted', 'ship 1 done']);
  });

  it('is shown as lost when its step is undone', async () => {
    const ref = await shop.placeOrder();
    // As a killed worker leaves it.
    await shop.db.insert(sagaSteps).values({ ...ref, step: 'ship', kind: 'step', state: 'running', attempts: 1 });
    await shop.db.insert(attemptEvents).values({ ...ref, step: 'ship', kind: 'step', attempt: 1, type: 'started', worker: '1@dead' });
    await runActivity(shop.activities().cancelShipment, ref);
    expect(await shown(ref)).toEqual(['ship 1 started', 'ship 1 lost', 'undo ship 1 started', 'undo ship 1 undone']);
  });
});

describe('a call whose worker was lost', () => {
  it('is shown as lost once the parcel is being cancelled', async () => {
    const ref = await shop.placeOrder();
    await shop.db.insert(attemptEvents).values({ ...ref, step: 'ship', kind: 'withdrawal', attempt: 1, type: 'started', worker: '1@dead' });
    expect(await withdrawals(ref)).toEqual(['1 started']);
    await runActivity(shop.activities().cancelShipment, ref);
    expect(await withdrawals(ref)).toEqual(['1 started', '1 lost']);
  });

  it('is shown as lost once a later attempt was answered, even if the start of that one is not recorded', async () => {
    const ref = await shop.placeOrder();
    await shop.db.insert(attemptEvents).values({ ...ref, step: 'ship', kind: 'withdrawal', attempt: 100, type: 'started', worker: '1@dead' });
    await runActivity(shop.activities().withdrawShipment, ref);
    expect(await withdrawals(ref)).toEqual(['100 started', '100 lost', '101 done']);
  });
});

describe('while Postgres is away', () => {
  const proxyStarted = startProxy();
  afterAll(async () => (await proxyStarted).close());

  it('an attempt fails with its own error, although that cannot be recorded', async () => {
    const ref = await shop.placeOrder();
    const proxy = await proxyStarted;
    const cut = connectDatabase(proxy.through(shop.environment.DATABASE_URL), { max: 2, name: 'cut' });
    const { warehouse } = shop.gateways;
    const gateway: typeof warehouse = {
      ...warehouse,
      requestShipment(...request) {
        proxy.set('reset');
        return warehouse.requestShipment(...request);
      },
    };
    shop.warehouse.faults.set({ mode: 'error_before' });
    const activities = createWarehouseActivities({ db: cut.db, gateway });
    await fails(runActivity((order: OrderRef) => activities.requestShipment(order), ref), 'warehouse_unavailable');
    proxy.heal();
    await cut.close();
    await run(ref, 'issueInvoice');
    shop.heal();
    await run(ref, 'requestShipment');
    expect(await shown(ref)).toEqual(['ship 1 started', 'ship 1 lost', 'ship 2 started', 'ship 2 done', 'invoice 1 done']);
  });
});

describe('an attempt that the workflow cancels', () => {
  it('is recorded as cancelled', async () => {
    const ref = await shop.placeOrder();
    const { warehouse } = shop.gateways;
    const gateway: typeof warehouse = { ...warehouse, requestShipment: () => Promise.reject(new CancelledFailure('not needed')) };
    const activities = createWarehouseActivities({ db: shop.db, gateway });
    await expect(runActivity((order: OrderRef) => activities.requestShipment(order), ref)).rejects.toBeInstanceOf(CancelledFailure);
    expect(await shown(ref)).toEqual(['ship 1 started', 'ship 1 cancelled']);
  });
});

it('shows what is known of the steps of an order from before the record', async () => {
  const ref = await shop.placeOrder();
  const [startedAt, finishedAt] = [new Date('2026-01-01T10:00:00Z'), new Date('2026-01-01T10:00:05Z')];
  await shop.db.insert(sagaSteps).values([
    { ...ref, step: 'reserve', kind: 'step', state: 'undone', attempts: 3, startedAt, finishedAt },
    { ...ref, step: 'charge', kind: 'step', state: 'exhausted', attempts: 12, startedAt, ...DOWN },
    { ...ref, step: 'reserve', kind: 'compensation', state: 'done', attempts: 1, startedAt: finishedAt, finishedAt },
  ]);
  expect((await shown(ref)).toSorted()).toEqual([
    'charge 1 started',
    'reserve 1 started',
    'reserve 3 done',
    'undo reserve 1 started',
    'undo reserve 1 undone',
  ]);
  expect(await shop.db.$count(attemptEvents, eq(attemptEvents.orderId, ref.orderId))).toBe(0);
});
