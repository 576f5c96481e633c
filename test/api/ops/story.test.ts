import { hostname } from 'node:os';
import { and, eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { emails, failures, orders, sagaSteps } from '../../../src/db/schema.ts';
import { createNamespace, type TestNamespace } from '../../support/namespace.ts';
import { createShop, type Shop } from '../../support/shop.ts';
import { startWorkers } from '../../support/workers.ts';
import { call, placeOrder, placeSignup, startTestApi, type TestApi } from '../support/api.ts';
import { openOrderFailure } from '../support/failures.ts';

/** A shop at work: API, dispatcher and workers, on one database and one namespace. The warehouse is down. */
let api: TestApi;
let temporal: TestNamespace;
let shop: Shop;
let deliver: () => Promise<unknown>;
let stop: () => Promise<void>;
beforeAll(async () => {
  vi.stubEnv('TEMPORAL_ADDRESS', inject('temporalAddress'));
  [temporal, shop] = await Promise.all([createNamespace(), createShop()]);
  api = await startTestApi({
    database: { url: shop.environment.DATABASE_URL, drop: async () => {} },
    namespace: temporal.namespace,
  });
  stop = await startWorkers(shop, { ...temporal, queues: ['orders', 'email'] });
  const dispatcher = shop.dispatcher(temporal.client);
  deliver = () => dispatcher.drain();
  shop.warehouse.faults.set({ mode: 'down' });
});
afterAll(async () => {
  await stop();
  await api.close();
  await shop.close();
  await temporal.close();
  vi.unstubAllEnvs();
});

const get = (path: string) => call(api, 'GET', path, { key: api.keys.operator.key });

/** The workers of this shop are in this process. */
const OURS = `${process.pid}@${hostname()}`;
const TECHNICAL = { type: 'warehouse_unavailable', message: 'There is a technical problem, and we are working on it.' };

describe('an order whose step fails', () => {
  it('is shown retrying, then parked, with its whole story', { timeout: 120_000 }, async () => {
    const id = await placeOrder(api);
    expect((await get(`/v1/ops/orders/${id}`)).body).toMatchObject({
      run: null,
      temporal: 'ok',
      commands: [{ type: 'start_order', state: 'pending', deliveredAt: null }],
      waitingFor: expect.stringMatching(/^Waiting to be started/),
    });
    await deliver();

    await vi.waitFor(
      async () => {
        expect((await get('/v1/ops/retrying')).body).toMatchObject({
          temporal: 'ok',
          data: [
            {
              orderId: id,
              step: 'ship',
              error: { type: 'warehouse_unavailable' },
              pending: { activity: 'requestShipment', lastFailure: { type: 'warehouse_unavailable' } },
            },
          ],
        });
      },
      { timeout: 20_000, interval: 50 },
    );
    expect((await get(`/v1/ops/orders/${id}`)).body).toMatchObject({
      run: { status: 'RUNNING', pending: expect.arrayContaining([expect.objectContaining({ activity: 'requestShipment' })]) },
      waitingFor: expect.stringMatching(/^Retrying "requestShipment": attempt \d of 3/),
    });

    await vi.waitFor(async () => expect(await get(`/v1/orders/${id}`)).toMatchObject({ body: { status: 'needs_attention' } }), {
      timeout: 40_000,
      interval: 100,
    });
    await vi.waitFor(async () => {
      expect((await get(`/v1/ops/orders/${id}`)).body).toMatchObject({
        emails: [{ template: 'order_confirmed', recipient: 'ada@example.com' }],
      });
    }, 20_000);
    const { body } = await get(`/v1/ops/orders/${id}`);
    expect(body).toMatchObject({
      order: { id, status: 'needs_attention', items: [{ sku: 'TEA-EARL-GREY' }, { sku: 'CUP-PORCELAIN' }] },
      statuses: [{ status: 'accepted' }, { status: 'reserved' }, { status: 'charged' }, { status: 'needs_attention' }],
      steps: [
        { step: 'reserve', kind: 'step', state: 'done', error: null },
        { step: 'charge', kind: 'step', state: 'done' },
        {
          step: 'ship',
          kind: 'step',
          state: 'exhausted',
          attempts: 4,
          error: { type: 'warehouse_unavailable' },
          events: [
            ...[1, 2, 3, 4].flatMap((attempt) => [
              { attempt, type: 'started', worker: OURS },
              { attempt, type: 'failed', error: { type: 'warehouse_unavailable' }, durationMs: expect.any(Number), worker: OURS },
            ]),
            { attempt: 4, type: 'exhausted' },
          ],
        },
      ],
      emailAttempts: [{ generation: 1, template: 'order_confirmed', events: [{ attempt: 1, type: 'done' }] }],
      payments: [{ status: 'captured', captured: 3_680, refunded: 0, amount: { amount: 3_680, currency: 'EUR' }, refunds: [] }],
      shipments: [],
      invoices: [],
      commands: [{ type: 'start_order', state: 'delivered', deliveredAt: expect.any(String) }],
      failures: [{ kind: 'step', step: 'ship', status: 'open', events: [{ type: 'opened', actor: 'holdfast' }] }],
      run: { status: 'RUNNING', pending: [] },
      temporal: 'ok',
      waitingFor: expect.stringMatching(/^The step "ship" has used up its retries .* Otherwise the order is undone at .* UTC\.$/),
    });
    // A customer may see them, too, but not how we work.
    const { body: saga } = await call(api, 'GET', `/v1/orders/${id}/saga`, { key: api.keys.customer.key });
    expect(saga).toMatchObject({
      data: [{}, {}, { events: expect.arrayContaining([expect.objectContaining({ attempt: 4, type: 'failed', worker: null, error: TECHNICAL })]) }],
    });
    expect((await get('/v1/ops/retrying')).body).toMatchObject({ data: [] });

    shop.warehouse.faults.clear();
    const [failure] = await api.db.select().from(failures).where(eq(failures.orderId, id));
    await call(api, 'POST', `/v1/ops/failures/${failure?.id}/retry`, { key: api.keys.operator.key, body: { reason: 'it is back' } });
    expect((await get(`/v1/ops/orders/${id}`)).body).toMatchObject({
      commands: [{}, { type: 'resolve_failure', actor: `key:${api.keys.operator.id}` }],
      waitingFor: 'A retry of the step "ship" was requested and is being delivered.',
    });
    await deliver();
    await vi.waitFor(
      async () => {
        expect((await get(`/v1/ops/orders/${id}`)).body).toMatchObject({
          order: { status: 'fulfilling' },
          shipments: [{ status: 'accepted' }],
          invoices: [{ number: 1, total: { amount: 3_680 } }],
          failures: [{ status: 'resolved' }],
          waitingFor: 'Waiting for the carrier to collect the parcel.',
        });
      },
      { timeout: 20_000, interval: 100 },
    );
  });

  it('is found by id, email address and status', async () => {
    const id = await placeOrder(api);
    await api.db.update(orders).set({ customerEmail: 'Grace@example.com' }).where(eq(orders.id, id));
    const only = { data: [expect.objectContaining({ id })], nextCursor: null };
    for (const query of [`id=${id}`, 'email=grace@EXAMPLE.com', 'email=grace@example.com&status=accepted']) {
      expect((await get(`/v1/ops/orders?${query}`)).body).toEqual(only);
    }
    expect((await get('/v1/ops/orders?email=grace@example.com&status=failed')).body).toEqual({ data: [], nextCursor: null });
    expect((await get('/v1/ops/orders?email=grace')).status).toBe(422);
  });

  it('answers 404 for an unknown id', async () => {
    expect((await get('/v1/ops/orders/0197d0a0-0000-7000-8000-000000000000')).status).toBe(404);
    expect((await get('/v1/ops/signups/0197d0a0-0000-7000-8000-000000000000')).status).toBe(404);
  });
});

describe('an order that is reviewed', () => {
  it('is shown with the reason and its suppressed emails, while its customer is told neither', async () => {
    const id = await placeOrder(api);
    await deliver();
    await vi.waitFor(async () => expect(await api.db.$count(sagaSteps, eq(sagaSteps.orderId, id))).toBeGreaterThan(0), 20_000);
    await api.db
      .update(sagaSteps)
      .set({ result: { items: 2, reason: 'Review: 5 declined cards in 24 hours.' } })
      .where(and(eq(sagaSteps.orderId, id), eq(sagaSteps.step, 'reserve')));
    await api.db
      .insert(emails)
      .values({ key: `suppressed:${id}`, template: 'order_failed', status: 'suppressed', recipient: 'ada@example.com', orderId: id });
    expect((await get(`/v1/ops/orders/${id}`)).body).toMatchObject({
      steps: expect.arrayContaining([expect.objectContaining({ step: 'reserve', reason: 'Review: 5 declined cards in 24 hours.' })]),
      emails: expect.arrayContaining([expect.objectContaining({ template: 'order_failed', status: 'suppressed', subject: null })]),
    });
    for (const path of [`/v1/orders/${id}`, `/v1/orders/${id}/saga`]) {
      const { status, body } = await call(api, 'GET', path, { key: api.keys.customer.key });
      expect(status).toBe(200);
      expect(JSON.stringify(body)).not.toMatch(/review|declined|suppressed/i);
    }
  });
});

describe('a signup', () => {
  it('is shown with its emails, its commands and what it waits for, and is found by email address', async () => {
    const id = await placeSignup(api, 'Linus@example.com');
    await deliver();
    await vi.waitFor(
      async () => {
        expect((await get(`/v1/ops/signups/${id}`)).body).toMatchObject({
          signup: { id, status: 'pending_verification' },
          emails: [{ template: 'verification', recipient: 'Linus@example.com' }],
          commands: [{ type: 'start_signup', state: 'delivered' }],
          failures: [],
          run: { status: 'RUNNING' },
          waitingFor: expect.stringMatching(/^Waiting for the address to be verified. Otherwise it expires at .* UTC\.$/),
        });
      },
      { timeout: 20_000, interval: 100 },
    );
    const { body } = await get('/v1/ops/signups?email=linus@example.com&status=pending_verification');
    expect(body).toMatchObject({ data: [{ id }], nextCursor: null });
    expect((await get(`/v1/ops/signups?id=${id}&status=ended`)).body).toMatchObject({ data: [] });
  });
});

describe('the queues', () => {
  it('are shown with their pollers, and with a warning where there are none', async () => {
    await openOrderFailure(api);
    await vi.waitFor(
      async () => {
        expect((await get('/v1/ops/queues')).body).toMatchObject({
          shop: { commandsWaiting: expect.any(Number), openFailures: expect.any(Number), ordersByStatus: expect.any(Array) },
          queues: [
            { queue: 'orders', warning: null, workflows: { backlog: expect.any(Number) } },
            { queue: 'email', warning: null },
            { queue: 'operations', warning: 'no workers polling', activities: { pollers: 0 } },
          ],
          temporal: 'ok',
        });
      },
      { timeout: 20_000, interval: 100 },
    );
  });
});

describe('without Temporal', () => {
  it('still shows exact counts, stories and retrying steps', async () => {
    vi.stubEnv('TEMPORAL_ADDRESS', '127.0.0.1:1');
    const alone = await startTestApi();
    try {
      const { key } = alone.keys.operator;
      const id = await placeOrder(alone);
      const [queues, story, retrying] = await Promise.all(
        ['/v1/ops/queues', `/v1/ops/orders/${id}`, '/v1/ops/retrying'].map((path) => call(alone, 'GET', path, { key })),
      );
      expect(queues).toMatchObject({
        status: 200,
        body: { shop: { commandsWaiting: 1, ordersByStatus: [{ status: 'accepted', count: 1 }] }, queues: null, temporal: 'unavailable' },
      });
      expect(story).toMatchObject({
        status: 200,
        body: { run: null, temporal: 'unavailable', waitingFor: expect.stringMatching(/^Waiting to be started/) },
      });
      expect(retrying).toMatchObject({ status: 200, body: { data: [] } });
    } finally {
      await alone.close();
      vi.stubEnv('TEMPORAL_ADDRESS', inject('temporalAddress'));
    }
  });
});

describe('the series and the audit', () => {
  it('are served', async () => {
    const { body } = await get('/v1/ops/series?span=day');
    expect(body).toMatchObject({ span: 'day', data: expect.any(Array) });
    expect((await get('/v1/ops/series?span=year')).status).toBe(422);
    expect((await get('/v1/ops/actions?cursor=x')).status).toBe(422);
  });
});
