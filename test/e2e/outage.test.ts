import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { z } from 'zod';
import { startApi } from '../../src/api/service.ts';
import { loadApiConfig } from '../../src/config.ts';
import { failureEvents, orders } from '../../src/db/schema.ts';
import { createLogger } from '../../src/log.ts';
import { insertApiKey } from '../../src/records/api-keys.ts';
import { freePort } from '../../src/sandbox/ports.ts';
import { call, newOrder, WEBHOOK_SECRET } from '../api/support/api.ts';
import { createNamespace, type TestNamespace } from '../support/namespace.ts';
import { createShop } from '../support/shop.ts';
import { startWorker, type WorkerProcess } from '../support/worker-process.ts';

const ORDERS = 200;
const AMOUNT = 3680;
/** Patience in ms: two cores take their time over two hundred orders. */
const SOON = { timeout: 150_000, interval: 250 };

const planSchema = z.object({ matching: z.int(), accepted: z.int(), sums: z.array(z.unknown()) });
const bulkActionSchema = z.object({
  state: z.string(),
  progress: z.object({ requested: z.int(), succeeded: z.int(), refused: z.int(), total: z.int() }),
});

let shop: Awaited<ReturnType<typeof createShop>>;
let temporal: TestNamespace;
let api: Awaited<ReturnType<typeof startApi>>;
let worker: WorkerProcess;
let key: string;
beforeAll(async () => {
  const port = await freePort();
  const webhook = { url: `http://127.0.0.1:${port}/v1/webhooks/warehouse`, secret: WEBHOOK_SECRET };
  [shop, temporal] = await Promise.all([
    createShop({ webhook, shipAfterMs: 100, deliverAfterMs: 100 }),
    createNamespace(),
  ]);
  const config = loadApiConfig({
    ...shop.environment,
    API_PORT: String(port),
    TEMPORAL_NAMESPACE: temporal.namespace,
    WAREHOUSE_WEBHOOK_SECRET: WEBHOOK_SECRET,
  });
  api = await startApi(config, createLogger('api', 'fatal'));
  ({ key } = await insertApiKey(shop.db, { name: 'night shift', role: 'operator' }));
  worker = await launchWorker();
});
afterAll(async () => {
  await worker.stop();
  await api.close();
  await shop.close();
  await temporal.close();
});

const launchWorker = () =>
  startWorker({
    ...shop.environment,
    ...temporal.environment,
    WORKFLOW_BUNDLE: inject('workflowBundlePath'),
  });

async function countOrders(status: string): Promise<number> {
  return (await shop.db.select({ status: orders.status }).from(orders)).filter((row) => row.status === status).length;
}
const allOrders = (status: string) => vi.waitFor(async () => expect(await countOrders(status)).toBe(ORDERS), SOON);

async function placeOrders(): Promise<void> {
  await Promise.all(
    Array.from({ length: ORDERS }, async (_, index) => {
      const headers = { 'Idempotency-Key': `night-${index}` };
      expect((await call(api, 'POST', '/v1/orders', { key, body: newOrder(), headers })).status).toBe(202);
    }),
  );
}

describe('a night on which the warehouse is down', () => {
  it('parks every order, alerts a few times, and is mended by one bulk action whose worker is killed half way', { timeout: 400_000 }, async () => {
    shop.warehouse.faults.set({ mode: 'error_before' });
    await placeOrders();
    await allOrders('needs_attention');

    const alerts = () => shop.inbox.messages({ to: 'oncall@holdfast.example' });
    await vi.waitFor(() => expect(alerts()).not.toHaveLength(0), SOON);
    expect(alerts().length).toBeLessThanOrEqual(3);

    shop.warehouse.faults.clear();
    const body = { action: 'retry', filter: { step: 'ship' }, reason: 'the warehouse is back', ratePerSecond: 20 };
    const plan = await call(api, 'POST', '/v1/ops/bulk-actions', { key, body: { ...body, dryRun: true } });
    expect(planSchema.parse(plan.body)).toMatchObject({
      matching: ORDERS,
      accepted: ORDERS,
      sums: [{ currency: 'EUR', amount: ORDERS * AMOUNT }],
    });

    const begun = await call(api, 'POST', '/v1/ops/bulk-actions', { key, body });
    expect(begun.status).toBe(202);
    const location = begun.headers.get('Location') ?? '';
    const bulkAction = async () => bulkActionSchema.parse((await call(api, 'GET', location, { key })).body);
    await vi.waitFor(async () => expect((await bulkAction()).progress.requested).toBeGreaterThan(ORDERS / 4), SOON);
    await worker.kill();
    expect((await bulkAction()).progress.requested).toBeLessThan(ORDERS);
    worker = await launchWorker();

    await allOrders('completed');
    expect(await bulkAction()).toMatchObject({
      state: 'completed',
      progress: { total: ORDERS, requested: ORDERS, refused: 0, succeeded: ORDERS },
    });
    const paid = shop.payments.ledger().filter(({ type }) => type === 'payment_intent.succeeded');
    expect(paid).toHaveLength(ORDERS);
    const sent = shop.warehouse.ledger().filter(({ type }) => type === 'shipment.accepted');
    expect(sent).toHaveLength(ORDERS);
    const events = await shop.db.select({ type: failureEvents.type }).from(failureEvents);
    for (const wanted of ['opened', 'retry_requested', 'resolved'] as const) {
      expect(events.filter(({ type }) => type === wanted)).toHaveLength(ORDERS);
    }
  });
});
