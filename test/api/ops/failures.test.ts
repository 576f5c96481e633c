import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { commands, failureEvents, operatorActions, orders } from '../../../src/db/schema.ts';
import { call, startTestApi, type TestApi } from '../support/api.ts';
import { openOrderFailure } from '../support/failures.ts';
import { readPages } from '../support/pages.ts';

let api: TestApi;
beforeAll(async () => {
  vi.stubEnv('TEMPORAL_ADDRESS', inject('temporalAddress'));
  api = await startTestApi();
});
afterAll(async () => {
  await api.close();
  vi.unstubAllEnvs();
});

const get = (path: string) => call(api, 'GET', path, { key: api.keys.operator.key });
const post = (path: string, body: unknown) => call(api, 'POST', path, { key: api.keys.operator.key, body });
const act = (id: string, action: string, more: object = {}) =>
  post(`/v1/ops/failures/${id}/${action}`, { reason: 'because', ...more });
const sentTo = async (orderId: string) =>
  (await api.db.select().from(commands).where(eq(commands.workflowId, `order/${orderId}`)).orderBy(commands.id))
    .map(({ body }) => body)
    .slice(1);
const eventsOf = async (failureId: string) =>
  (await api.db.select().from(failureEvents).where(eq(failureEvents.failureId, failureId)).orderBy(failureEvents.id)).map(
    ({ type }) => type,
  );

const statuses = (answers: { status: number }[]) => answers.map(({ status }) => status).toSorted((a, b) => a - b);

describe('the list of failures', () => {
  it('can be filtered by every field of the shared filter', async () => {
    const { orderId, failureId } = await openOrderFailure(api, {
      kind: 'compensation',
      step: 'charge',
      errorType: 'payment_unavailable',
      errorMessage: 'a 100% strange_message',
    });
    await openOrderFailure(api);
    const found = async (query: Record<string, string>) => {
      const { status, body } = await get(`/v1/ops/failures?${new URLSearchParams({ orderId, ...query }).toString()}`);
      expect(status).toBe(200);
      return body;
    };
    const one = { data: [{ id: failureId }], nextCursor: null };
    const none = { data: [], nextCursor: null };
    const past = '2020-01-01T00:00:00Z';
    for (const query of [
      { kind: 'compensation', step: 'charge', errorType: 'payment_unavailable', status: 'open' },
      { customerEmail: 'ADA@example.com' },
      { from: past },
      { text: '100% strange_' },
    ]) {
      expect(await found(query)).toMatchObject(one);
    }
    for (const query of [{ kind: 'step' }, { step: 'ship' }, { to: past }, { text: '100_' }, { customerEmail: 'eve@example.com' }]) {
      expect(await found(query)).toEqual(none);
    }
  });

  it('refuses an unknown filter, and one that no row can match', async () => {
    for (const query of ['colour=red', 'kind=none', 'from=yesterday', 'from=0000-01-01T00:00:00Z', 'text=%00', 'orderId=7']) {
      expect((await get(`/v1/ops/failures?${query}`)).status).toBe(422);
    }
  });

  it('is paged', async () => {
    const text = 'page by page';
    const ids = [];
    for (let n = 0; n < 3; n += 1) ids.push((await openOrderFailure(api, { errorMessage: text })).failureId);
    const [third, second, first] = ids.toReversed().map((id) => expect.objectContaining({ id }));
    expect(await readPages(api, '/v1/ops/failures?text=page+by+page&limit=2')).toEqual([[third, second], [first]]);
  });

  it('is counted by kind, step and error type', async () => {
    for (let n = 0; n < 2; n += 1) await openOrderFailure(api, { errorType: 'counted', errorMessage: 'to count' });
    await openOrderFailure(api, { step: 'charge', errorType: 'counted', errorMessage: 'to count' });
    expect((await get('/v1/ops/failures/counts?text=to+count')).body).toEqual({
      total: 3,
      data: [
        { kind: 'step', step: 'ship', errorType: 'counted', count: 2 },
        { kind: 'step', step: 'charge', errorType: 'counted', count: 1 },
      ],
    });
  });
});

describe('one failure', () => {
  it('is shown with its history and the state of its run', async () => {
    const { orderId, failureId } = await openOrderFailure(api);
    await act(failureId, 'retry');
    const { status, body } = await get(`/v1/ops/failures/${failureId}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      id: failureId,
      orderId,
      status: 'retrying',
      bulkActionId: null,
      events: [
        { type: 'opened', actor: 'holdfast', reason: 'HTTP 503' },
        { type: 'retry_requested', actor: `key:${api.keys.operator.id}`, reason: 'because' },
      ],
      pending: [],
      temporal: 'ok',
      links: { self: `/v1/ops/failures/${failureId}`, workflow: expect.stringContaining(encodeURIComponent(orderId)) },
    });
  });

  it('answers 404 for an unknown id', async () => {
    expect((await get('/v1/ops/failures/0197d0a0-0000-7000-8000-000000000000')).status).toBe(404);
    expect((await get('/v1/ops/failures/seven')).status).toBe(404);
  });
});

describe('a retry', () => {
  it('can correct the address', async () => {
    const { orderId, failureId } = await openOrderFailure(api);
    const shippingAddress = { line1: 'Corrected Street 1', city: 'Bath', postalCode: 'BA1 1AA', country: 'GB' };
    expect((await act(failureId, 'retry', { shippingAddress })).status).toBe(202);
    const [order] = await api.db.select().from(orders).where(eq(orders.id, orderId));
    expect(order).toMatchObject(shippingAddress);
  });

  it('refuses an invalid address, and does nothing', async () => {
    const { orderId, failureId } = await openOrderFailure(api);
    const { status, body } = await act(failureId, 'retry', { shippingAddress: { line1: 'x', city: 'y', postalCode: 'z', country: 'XX' } });
    expect(status).toBe(422);
    expect(body).toMatchObject({ errors: [{ pointer: '/shippingAddress/country' }] });
    expect(await sentTo(orderId)).toEqual([]);
  });
});

describe('an action requested twice at once', () => {
  it.each([
    ['retry', 'step', 'retry_requested'],
    ['cancel', 'step', 'cancel_requested'],
    ['settlement', 'compensation', 'settlement_requested'],
    ['reset', 'run', 'reset_requested'],
  ] as const)('%s is done once, and the second request is refused', async (action, kind, event) => {
    const { orderId, failureId } = await openOrderFailure(api, { kind });
    const answers = await Promise.all([act(failureId, action), act(failureId, action)]);
    expect(statuses(answers)).toEqual([202, 409]);
    const refused = answers.find(({ status }) => status === 409);
    expect(refused?.body).toMatchObject({ type: expect.stringMatching(/:(failure-not-open|already-requested)$/) });
    expect(await sentTo(orderId)).toHaveLength(1);
    expect(await eventsOf(failureId)).toEqual(['opened', event]);
    expect((await act(failureId, action)).status).toBe(409);
  });

  it('takes effect once: a retry after a cancellation is refused', async () => {
    const { orderId, failureId } = await openOrderFailure(api);
    await act(failureId, 'cancel');
    const { status, body } = await act(failureId, 'retry');
    expect(status).toBe(409);
    expect(body).toMatchObject({ type: 'urn:holdfast:problem:already-requested' });
    expect(await sentTo(orderId)).toHaveLength(1);
  });

  it('can be requested again when the first could not be delivered', async () => {
    const { orderId, failureId } = await openOrderFailure(api);
    await act(failureId, 'cancel');
    await api.db.update(commands).set({ state: 'set_aside' }).where(eq(commands.workflowId, `order/${orderId}`));
    expect((await act(failureId, 'cancel')).status).toBe(202);
  });

  it('restarts a failed order once', async () => {
    const { orderId } = await openOrderFailure(api);
    await api.db.update(orders).set({ status: 'failed' }).where(eq(orders.id, orderId));
    const restart = () => post(`/v1/ops/orders/${orderId}/restart`, { reason: 'again' });
    const answers = await Promise.all([restart(), restart()]);
    expect(statuses(answers)).toEqual([202, 409]);
    const accepted = answers.find(({ status }) => status === 202);
    expect(accepted?.body).toMatchObject({ id: orderId, status: 'accepted', generation: 2 });
    expect(accepted?.headers.get('Location')).toBe(`/v1/orders/${orderId}`);
    expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({ type: 'urn:holdfast:problem:order-not-failed' });
    expect(await sentTo(orderId)).toEqual([expect.objectContaining({ type: 'start_order', generation: 2 })]);
    const audit = await api.db.select().from(operatorActions).where(eq(operatorActions.target, orderId));
    expect(audit).toMatchObject([{ action: 'restart_order', actor: `key:${api.keys.operator.id}`, reason: 'again' }]);
  });
});

describe('a settlement', () => {
  it('of a failure that blocks no run only records it', async () => {
    const { orderId, failureId } = await openOrderFailure(api, { kind: 'email', step: 'order_confirmed' });
    expect(await act(failureId, 'settlement')).toMatchObject({ status: 202, body: { status: 'settled' } });
    expect(await sentTo(orderId)).toEqual([]);
  });

  it('is refused for a parked step', async () => {
    const { failureId } = await openOrderFailure(api);
    expect((await act(failureId, 'settlement')).status).toBe(409);
  });
});

describe('a reset', () => {
  it('can name the event to reset to', async () => {
    const { orderId, failureId } = await openOrderFailure(api, { kind: 'run' });
    expect(await act(failureId, 'reset', { eventId: 12 })).toMatchObject({ status: 202, body: { status: 'retrying' } });
    expect(await sentTo(orderId)).toEqual([expect.objectContaining({ type: 'reset_run', eventId: 12 })]);
    expect((await act(failureId, 'reset', { eventId: 0 })).status).toBe(422);
  });
});

describe('without Temporal', () => {
  it('shows a failure, and says that Temporal is unavailable', async () => {
    vi.stubEnv('TEMPORAL_ADDRESS', '127.0.0.1:1');
    const alone = await startTestApi();
    try {
      const { failureId } = await openOrderFailure(alone);
      const { status, body } = await call(alone, 'GET', `/v1/ops/failures/${failureId}`, { key: alone.keys.operator.key });
      expect(status).toBe(200);
      expect(body).toMatchObject({ id: failureId, pending: null, temporal: 'unavailable' });
    } finally {
      await alone.close();
      vi.stubEnv('TEMPORAL_ADDRESS', inject('temporalAddress'));
    }
  });
});
