import { eq, inArray } from 'drizzle-orm';
import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFailureOf } from '../../support/failures.ts';
import { runActivity } from '../../support/shop.ts';
import { orderWorkflowId } from '../../../src/contracts/ids.ts';
import { transaction } from '../../../src/db/transaction.ts';
import { closeFailures, reopenAnswered } from '../../../src/records/failures.ts';
import { NOT_CANCELLED } from '../../../src/records/cancellations.ts';
import { createOrderActivities } from '../../../src/activities/orders.ts';
import { setOrderStatus } from '../../../src/records/order-status.ts';
import { createBulkActionActivities } from '../../../src/activities/bulk-actions.ts';
import { numberCursor } from '../../../src/views/page.ts';
import { commands, failures, operatorActions, orders, payments, bulkActionItems, bulkActions } from '../../../src/db/schema.ts';
import { call, freshKey, placeOrder, startTestApi, type TestApi } from '../support/api.ts';
import { readEvents } from '../support/events.ts';
import { openOrderFailure } from '../support/failures.ts';
import { readPages } from '../support/pages.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const get = (path: string) => call(api, 'GET', path, { key: api.keys.operator.key });
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  call(api, 'POST', path, { key: api.keys.operator.key, body, headers });
const PATH = '/v1/ops/bulk-actions';

/** Parks some orders, all of one error type that no other test has. */
async function parkSome(count: number) {
  const errorType = `outage_${uuid()}`;
  const parked = [];
  for (let n = 0; n < count; n += 1) parked.push(await openOrderFailure(api, { errorType }));
  return { errorType, parked };
}

/** Starts a bulk retry of some parked orders. */
async function begin(count: number) {
  const { errorType, parked } = await parkSome(count);
  const { headers } = await post(PATH, { action: 'retry', filter: { errorType }, reason: 'it is back' });
  const path = headers.get('Location') ?? '';
  return { path, id: path.split('/').at(-1) ?? '', parked };
}

const outcomes = async (path: string) => (await readPages(api, `${path}/items`)).flat();

/** What becomes of the retry of a parked order. */
const resolve = (orderId: string) =>
  transaction(api.db, (tx) => closeFailures(tx, { orderId, generation: 1 }, { kind: 'step', step: 'ship' }, 'resolved', 'done'));
const failAgain = (orderId: string) => openFailureOf(api.db, { orderId, generation: 1 }, { errorMessage: 'still down' });

const eventsOf = (path: string) =>
  readEvents(`${api.url}${path}/events`, { Authorization: `Bearer ${api.keys.operator.key}` });

/** What the worker does for `replayFailures`. */
const runBatch = (id: string, size: number) =>
  runActivity(() => createBulkActionActivities({ db: api.db }).runReplayBatch(id, size));

describe('a dry run', () => {
  it('shows what would be done, its value and what would be refused, and does nothing', async () => {
    const { parked } = await parkSome(2);
    const mail = await openOrderFailure(api, { kind: 'email', step: 'order_confirmed' });
    const late = await openOrderFailure(api, { kind: 'late_shipment', step: 'ship' });
    const ids = [...parked.map(({ failureId }) => failureId), mail.failureId, late.failureId, uuid()];
    const before = await Promise.all([api.db.$count(bulkActions), api.db.$count(commands), api.db.$count(operatorActions)]);
    const { status, body } = await post(PATH, { action: 'retry', ids, reason: 'to see', dryRun: true });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      matching: 5,
      accepted: 3,
      refused: expect.arrayContaining([
        { reason: 'it is of kind late_shipment', count: 1 },
        { reason: 'no failure or order with this id', count: 1 },
      ]),
      sums: [{ currency: 'EUR', amount: 2 * 3_680 }],
      sample: expect.arrayContaining([
        expect.objectContaining({ ...mail, amount: null, currency: null, refusal: null }),
        expect.objectContaining({ ...late, refusal: 'it is of kind late_shipment' }),
      ]),
    });
    const after = await Promise.all([api.db.$count(bulkActions), api.db.$count(commands), api.db.$count(operatorActions)]);
    expect(after).toEqual(before);
  });

  it('of a filter counts parked orders and emails to retry, and only parked orders to cancel', async () => {
    const { errorType } = await parkSome(1);
    await openOrderFailure(api, { kind: 'email', step: 'order_confirmed', errorType });
    await openOrderFailure(api, { kind: 'late_shipment', step: 'ship', errorType });
    const plan = async (action: string, filter: object) =>
      (await post(PATH, { action, filter: { errorType, ...filter }, reason: 'to see', dryRun: true })).body;
    expect(await plan('retry', {})).toMatchObject({ matching: 2, accepted: 2 });
    expect(await plan('retry', { kind: 'email' })).toMatchObject({ matching: 1, accepted: 1 });
    expect(await plan('cancel', {})).toMatchObject({ matching: 1, accepted: 1 });
    expect(await plan('cancel', { kind: 'email' })).toMatchObject({ matching: 1, accepted: 0 });
  });

  it('of failed orders shows which are not refunded yet', async () => {
    const [clean, owing] = [await placeOrder(api), await placeOrder(api)];
    for (const id of [clean, owing]) {
      await api.db.update(orders).set({ status: 'failed', failureType: 'card_declined' }).where(eq(orders.id, id));
    }
    await api.db
      .insert(payments)
      .values({ id: uuid(), orderId: owing, generation: 1, state: 'captured', amount: 3_680, captured: 3_680, currency: 'EUR' });
    const { body } = await post(PATH, { action: 'restart', ids: [clean, owing], reason: 'to see', dryRun: true });
    expect(body).toMatchObject({
      matching: 2,
      accepted: 1,
      refused: [{ reason: 'money of an earlier generation is not refunded', count: 1 }],
    });
  });
});

describe('a bulk action', () => {
  it('is started, recorded with its actor, and can be read', async () => {
    const { errorType, parked } = await parkSome(2);
    const request = { action: 'retry', filter: { errorType }, reason: 'it is back', ratePerSecond: 5 };
    const { status, headers, body } = await post(PATH, request);
    expect(status).toBe(202);
    const location = headers.get('Location');
    const actor = `key:${api.keys.operator.id}`;
    const expected = {
      id: location?.split('/').at(-1),
      action: 'retry',
      state: 'running',
      filter: { errorType },
      ids: null,
      reason: 'it is back',
      actor,
      ratePerSecond: 5,
      finishedAt: null,
      progress: { total: 2, succeeded: 0, failedAgain: 0, cancelled: 0, skipped: 0, waiting: 2, pending: 2, requested: 0 },
      summary: '2 waiting',
      pauseReason: null,
      next: null,
      links: { self: location },
    };
    expect(body).toMatchObject(expected);
    expect((await get(String(location))).body).toMatchObject(expected);
    expect((await get(`${PATH}?limit=1`)).body).toMatchObject({ data: [expected] });
    expect((await get(`${String(location)}/items`)).body).toMatchObject({
      data: parked.map((item, position) => ({ ...item, position, outcome: 'waiting', message: null, actedAt: null })),
      nextCursor: null,
    });
    expect((await get('/v1/ops/actions?limit=1')).body).toMatchObject({
      data: [{ actor, action: 'bulk_retry', target: expected.id, reason: 'it is back' }],
    });
  });

  it('is started once per idempotency key, even by two requests at once', async () => {
    const { errorType } = await parkSome(1);
    const request = { action: 'retry', filter: { errorType }, reason: 'it is back' };
    const headers = freshKey();
    const answers = await Promise.all([post(PATH, request, headers), post(PATH, request, headers)]);
    expect(answers.map(({ status }) => status)).toEqual([202, 202]);
    const [one, other] = answers.map((answer) => answer.headers);
    expect(one?.get('Location')).toBe(other?.get('Location'));
    expect(answers.filter((answer) => answer.headers.get('Idempotency-Replayed') === 'true')).toHaveLength(1);
    expect((await post(PATH, { ...request, reason: 'another' }, headers)).status).toBe(422);
    expect((await post(PATH, request, { 'Idempotency-Key': 'not visible: ü' })).status).toBe(400);
  });

  it('accepts ten thousand ids', async () => {
    const ids = Array.from({ length: 10_000 }, () => uuid());
    expect(await post(PATH, { action: 'retry', ids, reason: 'many', dryRun: true })).toMatchObject({
      status: 200,
      body: { matching: 10_000, accepted: 0 },
    });
  });

  it.each([
    ['neither a filter nor ids', {}],
    ['both a filter and ids', { filter: {}, ids: [uuid()] }],
    ['a filter with an unknown field', { filter: { colour: 'red' } }],
    ['a reason that cannot be stored', { filter: {}, reason: 'a\u0000b' }],
    ['no reason', { filter: {}, reason: ' ' }],
    ['a rate beyond measure', { filter: {}, ratePerSecond: 5_000 }],
    ['an unknown action', { filter: {}, action: 'forget' }],
    ['a filter that only failures know, to restart orders', { filter: { step: 'ship' }, action: 'restart' }],
  ])('is refused with %s', async (_, change) => {
    expect((await post(PATH, { action: 'retry', reason: 'because', ...change })).status).toBe(422);
  });

  it('lists the outcome of each item, and offers to retry what failed again', async () => {
    const { path, id, parked } = await begin(4);
    const [fixed, again, gone] = parked;
    if (!fixed || !again || !gone) throw new Error('too few');
    await api.db.update(failures).set({ status: 'settled' }).where(eq(failures.id, gone.failureId));
    await runBatch(id, 5);
    await resolve(fixed.orderId);
    await failAgain(again.orderId);
    const pages = await readPages(api, `${path}/items?limit=3`);
    expect(pages.map((page) => page.length)).toEqual([3, 1]);
    expect(pages.flat()).toMatchObject([
      { position: 0, outcome: 'succeeded', actedAt: expect.any(String), settledAt: expect.any(String) },
      { position: 1, outcome: 'failed_again', message: 'still down' },
      { position: 2, outcome: 'skipped', message: expect.stringContaining('settled'), actedAt: null },
      { position: 3, outcome: 'waiting', settledAt: null },
    ]);
    expect(await readPages(api, `${path}/items?outcome=failed_again`)).toMatchObject([[{ position: 1 }]]);
    const beyond = numberCursor.encode(2 ** 48 - 1);
    expect(await get(`${path}/items?cursor=${beyond}`)).toMatchObject({ status: 200, body: { data: [] } });
    const request = { action: 'retry', failedAgainIn: id };
    const expected = {
      progress: { total: 4, succeeded: 1, failedAgain: 1, cancelled: 0, skipped: 1, waiting: 1, pending: 0, requested: 3 },
      summary: '1 succeeded, 1 failed again, 1 skipped, 1 waiting',
      next: { label: 'Retry this one', request, page: `/ops/bulk-actions/new?action=retry&failedAgainIn=${id}` },
    };
    expect((await get(path)).body).toMatchObject(expected);
    expect((await post(PATH, { ...request, reason: 'to see', dryRun: true })).body).toMatchObject({
      matching: 1,
      accepted: 1,
      sample: [again],
    });

    // What happens to them later is not a result of this bulk action.
    await resolve(again.orderId);
    await failAgain(fixed.orderId);
    expect((await get(path)).body).toMatchObject(expected);

    expect((await get(`/v1/ops/failures/${again.failureId}`)).body).toMatchObject({ bulkActionId: id });
    const touched = [fixed, again, gone].map(({ failureId }) => failureId);
    const audit = await api.db.select().from(operatorActions).where(inArray(operatorActions.target, touched));
    expect(audit.map(({ target }) => target).toSorted()).toEqual([fixed.failureId, again.failureId].toSorted());
    expect(audit).toMatchObject([1, 2].map(() => ({ action: 'retry_failure', reason: 'it is back' })));
  });

  it('settles each item with the occurrence that it acted on, though another bulk action has the same items', async () => {
    const { path: first, id: firstId, parked } = await begin(2);
    const { headers } = await post(PATH, { action: 'retry', ids: parked.map(({ failureId }) => failureId), reason: 'me too' });
    const second = headers.get('Location') ?? '';
    const [one = { orderId: '', failureId: '' }, other = one] = parked;
    await runBatch(firstId, 1);
    await runBatch(second.split('/').at(-1) ?? '', 5);
    await runBatch(firstId, 5);
    await Promise.all([failAgain(one.orderId), resolve(other.orderId)]);
    expect(await outcomes(first)).toMatchObject([{ outcome: 'failed_again' }, { outcome: 'skipped' }]);
    expect(await outcomes(second)).toMatchObject([{ outcome: 'skipped' }, { outcome: 'succeeded' }]);
  });

  it('that cancels orders waits for what becomes of the cancellations, even if the steps succeed meanwhile', async () => {
    const { errorType, parked } = await parkSome(4);
    const { headers } = await post(PATH, { action: 'cancel', filter: { errorType }, reason: 'given up' });
    const path = headers.get('Location') ?? '';
    await runBatch(path.split('/').at(-1) ?? '', 5);
    const [shipped = { orderId: '', generation: 1 }, refused = shipped, undone = shipped, late = shipped] = parked.map(
      ({ orderId }) => ({ orderId, generation: 1 }),
    );
    for (const { orderId } of [shipped, refused, late]) await resolve(orderId);
    expect((await get(path)).body).toMatchObject({ summary: '4 waiting', next: null });

    const activities = createOrderActivities({ db: api.db });
    await transaction(api.db, (tx) => setOrderStatus(tx, shipped, 'shipped'));
    await activities.recordCancellationRefused(refused);
    for (const ref of [undone, late]) await activities.beginCompensation(ref);
    const [cancelled, skipped] = [{ outcome: 'cancelled' }, { outcome: 'skipped', message: expect.stringContaining('continued') }];
    expect(await outcomes(path)).toMatchObject([skipped, skipped, cancelled, cancelled]);
  });

  it('that cancels orders skips one that was not asked to stop', async () => {
    const { errorType, parked } = await parkSome(1);
    const { headers } = await post(PATH, { action: 'cancel', filter: { errorType }, reason: 'given up' });
    const path = headers.get('Location') ?? '';
    await runBatch(path.split('/').at(-1) ?? '', 5);
    const [{ orderId } = { orderId: '' }] = parked;
    // As earlier versions have asked: by the failure alone.
    await api.db.update(orders).set(NOT_CANCELLED).where(eq(orders.id, orderId));
    await resolve(orderId);
    expect((await get(path)).body).toMatchObject({ summary: '1 skipped', next: null });
  });

  it('that restarts orders says why one parks, and offers to restart only those that failed', async () => {
    const ids = [await placeOrder(api), await placeOrder(api), await placeOrder(api)];
    await api.db.update(orders).set({ status: 'failed', failureType: 'card_declined' }).where(inArray(orders.id, ids));
    const { headers } = await post(PATH, { action: 'restart', ids, reason: 'the cards work now' });
    const path = headers.get('Location') ?? '';
    const id = path.split('/').at(-1) ?? '';
    await runBatch(id, 5);
    const [parks, fails, declined] = ids.map((orderId) => ({ orderId, generation: 2 }));
    if (!parks || !fails || !declined) throw new Error('too few');
    const activities = createOrderActivities({ db: api.db });
    await runActivity(() => activities.parkOrder(parks, 'ship', { errorType: 'warehouse_unavailable', errorMessage: 'still down' }));
    for (const ref of [fails, declined]) await activities.endOrder(ref, { status: 'failed', type: 'card_declined', message: 'declined' });
    expect(await outcomes(path)).toMatchObject(
      ['still down', 'declined', 'declined'].map((message) => ({ outcome: 'failed_again', message })),
    );
    expect((await get(path)).body).toMatchObject({ progress: { failedAgain: 3 }, next: { label: 'Restart these 2' } });
    const again = { action: 'restart', failedAgainIn: id, reason: 'to see', dryRun: true };
    expect((await post(PATH, again)).body).toMatchObject({ matching: 3, accepted: 2 });
    const [order] = await api.db.select().from(orders).where(eq(orders.id, parks.orderId));
    expect(order).toMatchObject({ status: 'needs_attention', failureMessage: null });

    await api.db.update(orders).set({ status: 'completed' }).where(inArray(orders.id, [fails.orderId, declined.orderId]));
    expect((await get(path)).body).toMatchObject({ next: null });
  });

  it('shows an item as failed again if its retry could not be delivered', async () => {
    const { path, id, parked } = await begin(1);
    await runBatch(id, 5);
    expect((await get(path)).body).toMatchObject({ progress: { waiting: 1, failedAgain: 0 } });
    const [{ orderId, failureId } = { orderId: '', failureId: '' }] = parked;
    await transaction(api.db, (tx) => reopenAnswered(tx, { workflowId: orderWorkflowId(orderId), failureId }, 'no'));
    expect((await get(path)).body).toMatchObject({ progress: { waiting: 0, failedAgain: 1 } });
  });

  it('still acts, and is shown, with a reason that an earlier version accepted', async () => {
    const { path, id } = await begin(1);
    const reason = 'first line\nsecond line';
    const request = { action: 'retry' as const, filter: {}, reason, ratePerSecond: 20, dryRun: false };
    await api.db.update(bulkActions).set({ request, reason }).where(eq(bulkActions.id, id));
    expect(await runBatch(id, 5)).toEqual({ state: 'ended' });
    expect(await get(path)).toMatchObject({ status: 200, body: { reason, progress: { requested: 1 } } });
  });

  it('is paused, resumed and cancelled', async () => {
    const { path, id } = await begin(1);
    for (const [verb, state] of [['pause', 'paused'], ['resume', 'running'], ['cancel', 'cancelled']] as const) {
      expect(await post(`${path}/${verb}`, { reason: `to ${verb}` })).toMatchObject({ status: 202, body: { state } });
    }
    const late = await post(`${path}/resume`, { reason: 'too late' });
    expect(late).toMatchObject({ status: 409, body: { type: 'urn:holdfast:problem:bulk-action-not-running' } });
    expect(await runBatch(id, 1)).toEqual({ state: 'ended' });
    expect(await api.db.select().from(bulkActionItems).where(eq(bulkActionItems.bulkActionId, id))).toMatchObject([{ state: 'skipped', actedAt: null }]);
    expect((await post(`${path}/pause`, {})).status).toBe(422);
  });

  it('answers 404 for an unknown id', async () => {
    const path = `${PATH}/${uuid()}`;
    for (const suffix of ['', '/items', '/events']) expect((await get(path + suffix)).status).toBe(404);
    expect((await post(`${path}/pause`, { reason: 'none' })).status).toBe(404);
  });
});

describe('the events of a bulk action', () => {
  it('report its progress until it ends', async () => {
    const { path, id, parked } = await begin(2);
    const seen: unknown[] = [];
    for await (const { event, data } of eventsOf(path)) {
      expect(event).toBe('progress');
      seen.push(JSON.parse(String(data)));
      if (seen.length === 1) await runBatch(id, 5);
      if (seen.length === 2) await resolve(parked[0]?.orderId ?? '');
      if (seen.length === 3) await failAgain(parked[1]?.orderId ?? '');
    }
    expect(seen).toMatchObject([
      { state: 'running', total: 2, pending: 2 },
      { state: 'completed', pending: 0, waiting: 2 },
      { succeeded: 1, waiting: 1 },
      { succeeded: 1, failedAgain: 1, waiting: 0 },
    ]);
  });

  it('are a single event once it has ended', async () => {
    const { path } = await begin(1);
    await post(`${path}/cancel`, { reason: 'enough' });
    const seen = [];
    for await (const { data } of eventsOf(path)) seen.push(data);
    expect(seen).toHaveLength(1);
  });
});

describe('the earlier paths of bulk actions and restarts', () => {
  it.each([
    ['GET', '/v1/ops/replays?limit=5', '/v1/ops/bulk-actions?limit=5'],
    ['POST', '/v1/ops/replays', '/v1/ops/bulk-actions'],
    ['GET', '/v1/ops/replays/1/items', '/v1/ops/bulk-actions/1/items'],
    ['POST', '/v1/ops/orders/1/replay', '/v1/ops/orders/1/restart'],
  ])('redirect %s %s, method and body included', async (method, path, target) => {
    const response = await fetch(`${api.url}${path}`, { method, redirect: 'manual' });
    expect(response.status).toBe(308);
    expect(response.headers.get('Location')).toBe(target);
  });

  it('redirect a body of ten thousand ids', async () => {
    const body = JSON.stringify({ ids: Array.from({ length: 10_000 }, () => uuid()) });
    const response = await fetch(`${api.url}/v1/ops/replays`, { method: 'POST', body, redirect: 'manual' });
    expect(response.status).toBe(308);
  });
});
