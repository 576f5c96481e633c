import { afterAll, beforeAll, expect, it } from 'vitest';
import { serviceProbes, workers } from '../../../src/db/schema.ts';
import { call, startTestApi, type TestApi } from '../support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const get = () => call(api, 'GET', '/v1/ops/health', { key: api.keys.operator.key });

it('says that nothing was checked as long as no worker has run', async () => {
  const unknown = { state: 'not_checked', answeringSince: null, lastSuccessAt: null, lastFailureAt: null, lastError: null };
  expect(await get()).toMatchObject({
    status: 200,
    body: { services: ['email', 'payment', 'warehouse'].map((service) => ({ service, ...unknown })), workers: [] },
  });
});

it('shows the last probe of each service, and the workers', async () => {
  const at = new Date();
  await api.db.insert(serviceProbes).values({ service: 'warehouse', nextProbeAt: at, lastFailureAt: at, lastError: 'HTTP 503' });
  const worker = { identity: '1@host', host: 'host', version: '1.2.3', queues: ['orders' as const], startedAt: at, lastSeenAt: at };
  await api.db.insert(workers).values(worker);
  const { status, body } = await get();
  expect(status).toBe(200);
  expect(body).toMatchObject({
    services: [
      {},
      {},
      { service: 'warehouse', state: 'failing', answeringSince: null, lastSuccessAt: null, lastFailureAt: at.toISOString(), lastError: 'HTTP 503' },
    ],
    workers: [{ ...worker, startedAt: at.toISOString(), lastSeenAt: at.toISOString() }],
  });
});

it('is for operators', async () => {
  expect(await call(api, 'GET', '/v1/ops/health', { key: api.keys.customer.key })).toMatchObject({ status: 403 });
});
