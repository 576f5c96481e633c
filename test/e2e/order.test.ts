import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { z } from 'zod';
import type { RunningServer } from '../../src/api/server.ts';
import { startApi } from '../../src/api/service.ts';
import { loadApiConfig } from '../../src/config.ts';
import { createLogger } from '../../src/log.ts';
import { insertApiKey } from '../../src/records/api-keys.ts';
import { freePorts } from '../../src/sandbox/ports.ts';
import { temporalBinary, temporalCli } from '../../src/sandbox/temporal-binaries.ts';
import { startTemporalServer, type TemporalServer } from '../../src/sandbox/temporal-server.ts';
import { call, freshKey, newOrder, WEBHOOK_SECRET } from '../api/support/api.ts';
import { expectSound, stockTotals } from '../support/audit.ts';
import { createShop, type Shop } from '../support/shop.ts';
import { startWorker, type WorkerProcess } from '../support/worker-process.ts';

/** All of it as it runs in production, over real sockets; Temporal is this file's own, because it is stopped and started. */

let temporal: TemporalServer;
let shop: Shop;
let api: RunningServer;
let worker: WorkerProcess;
let key: string;
let startTemporal: () => Promise<TemporalServer>;

beforeAll(async () => {
  const [port = 0, apiPort = 0] = await freePorts(2);
  shop = await createShop({
    webhook: { url: `http://127.0.0.1:${apiPort}/v1/webhooks/warehouse`, secret: WEBHOOK_SECRET },
    shipAfterMs: 50,
    deliverAfterMs: 50,
  });
  const binary = await temporalBinary(temporalCli);
  startTemporal = () =>
    startTemporalServer({
      binary,
      port,
      databaseFile: join(shop.folder, 'temporal.db'),
      logFile: join(shop.folder, 'temporal.log'),
    });
  temporal = await startTemporal();
  vi.stubEnv('TEMPORAL_ADDRESS', temporal.address);
  ({ key } = await insertApiKey(shop.db, { name: 'a customer', role: 'customer' }));
  api = await startApi(
    loadApiConfig({
      DATABASE_URL: shop.environment.DATABASE_URL,
      API_PORT: String(apiPort),
      WAREHOUSE_WEBHOOK_SECRET: WEBHOOK_SECRET,
      TEMPORAL_UI_URL: 'http://ui.test/',
    }),
    createLogger('api', 'fatal'),
  );
  worker = await startWorker({
    ...shop.environment,
    TEMPORAL_ADDRESS: temporal.address,
    PUBLIC_URL: api.url,
    WORKFLOW_BUNDLE: inject('workflowBundlePath'),
  });
}, 90_000);
afterAll(async () => {
  await worker.stop();
  await api.close();
  await temporal.stop();
  await shop.close();
  vi.unstubAllEnvs();
});

const orderView = z.object({ id: z.uuid(), status: z.string(), links: z.object({ self: z.string(), saga: z.string() }) });
const sagaView = z.object({ data: z.array(z.object({ step: z.string(), kind: z.string(), state: z.string() })) });

async function placeOrder(changes: object = {}): Promise<string> {
  const { status, body, headers } = await call(api, 'POST', '/v1/orders', {
    key,
    body: { ...newOrder(), ...changes },
    headers: freshKey(),
  });
  expect(status).toBe(202);
  const { id } = orderView.parse(body);
  expect(headers.get('Location')).toBe(`/v1/orders/${id}`);
  return id;
}

/** Waits at the API until an order is where it does not move from by itself. */
async function atRest(id: string): Promise<string> {
  for (let looks = 0; looks < 3; looks += 1) {
    const { body } = await call(api, 'GET', `/v1/orders/${id}`, { key, headers: { Prefer: 'wait=15' } });
    const { status } = orderView.parse(body);
    if (['completed', 'failed', 'cancelled', 'needs_attention', 'awaiting_approval'].includes(status)) return status;
  }
  return 'still moving';
}

describe('an order', () => {
  it('placed over HTTP is charged, sent, invoiced, shipped and delivered', { timeout: 60_000 }, async () => {
    const id = await placeOrder();
    expect(await atRest(id)).toBe('completed');
    await expectSound(shop, id);

    const { body } = await call(api, 'GET', `/v1/orders/${id}/saga`, { key });
    expect(sagaView.parse(body).data.map(({ kind, step, state }) => `${kind} ${step} ${state}`)).toEqual([
      'step reserve done',
      'step charge done',
      'step ship done',
      'step invoice done',
    ]);
    const invoice = await call(api, 'GET', `/v1/orders/${id}/invoice`, { key });
    expect(invoice.headers.get('Content-Type')).toBe('application/pdf');
    expect(invoice.body).toMatch(/^%PDF-/);
    await expect
      .poll(() => shop.inbox.messages({ to: 'ada@example.com' }).map(({ subject, copies }) => `${subject} (${copies})`), {
        timeout: 15_000,
      })
      .toEqual(expect.arrayContaining([
        expect.stringMatching(/arrived \(1\)/),
        expect.stringMatching(/on its way \(1\)/),
        expect.stringMatching(/confirmed \(1\)/),
      ]));
  });

  it('with a declined card fails and keeps nothing', { timeout: 60_000 }, async () => {
    const before = await stockTotals(shop.db);
    const id = await placeOrder({ payment: { method: 'pm_card_visa_chargeDeclined' } });
    expect(await atRest(id)).toBe('failed');
    await expectSound(shop, id);
    expect(await stockTotals(shop.db)).toEqual(before);
  });
});

describe('a signup', () => {
  it('is verified by the token in its email', { timeout: 60_000 }, async () => {
    const email = 'grace@example.com';
    const taken = await call(api, 'POST', '/v1/signups', { key, body: { email, name: 'Grace' }, headers: freshKey() });
    expect(taken.status).toBe(202);
    const location = taken.headers.get('Location') ?? '';
    await expect.poll(() => shop.inbox.messages({ to: email }).length, { timeout: 20_000 }).toBe(1);
    const token = /"token":"([\w-]+)"/.exec(shop.inbox.messages({ to: email })[0]?.text ?? '')?.[1];
    const verified = await call(api, 'POST', `${location}/verification`, { body: { token } });
    expect(verified.status).toBe(202);
    await expect
      .poll(async () => (await call(api, 'GET', location, { key })).body, { timeout: 20_000 })
      .toMatchObject({ status: 'trial' });
  });
});

describe('while Temporal is stopped', () => {
  it('orders and signups are taken, and done when it is back', { timeout: 120_000 }, async () => {
    await temporal.stop();
    const id = await placeOrder();
    const email = 'later@example.com';
    const signup = await call(api, 'POST', '/v1/signups', { key, body: { email, name: 'Later' }, headers: freshKey() });
    expect(signup.status).toBe(202);
    const readiness = await call(api, 'GET', '/readyz');
    expect(readiness).toMatchObject({ status: 200, body: { status: 'degraded', checks: { postgres: 'ok' } } });
    expect((await call(api, 'GET', `/v1/orders/${id}`, { key })).body).toMatchObject({ status: 'accepted' });

    temporal = await startTemporal();
    expect(await atRest(id)).toBe('completed');
    await expectSound(shop, id);
    await expect.poll(() => shop.inbox.messages({ to: email }).length, { timeout: 20_000 }).toBe(1);
    expect((await call(api, 'GET', '/readyz')).body).toMatchObject({ status: 'ready', checks: { temporal: 'ok' } });
  });
});
