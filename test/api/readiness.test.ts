import { afterEach, describe, expect, inject, it, vi } from 'vitest';
import { call, freshKey, newOrder, startTestApi, type TestApi } from './support/api.ts';

describe('readiness', () => {
  let api: TestApi | undefined;
  afterEach(async () => {
    await api?.close();
    vi.unstubAllEnvs();
  });

  it('is ok when Postgres and Temporal answer', async () => {
    vi.stubEnv('TEMPORAL_ADDRESS', inject('temporalAddress'));
    api = await startTestApi();
    const { url } = api;
    // A busy server may need longer for its first answer than a person would wait.
    await expect
      .poll(() => call({ url }, 'GET', '/readyz'))
      .toMatchObject({ status: 200, body: { status: 'ready', checks: { postgres: 'ok', temporal: 'ok' } } });
  });

  it('is degraded when Temporal does not have the namespace', async () => {
    vi.stubEnv('TEMPORAL_ADDRESS', inject('temporalAddress'));
    api = await startTestApi({ namespace: 'nowhere' });
    const { body } = await call(api, 'GET', '/readyz');
    expect(body).toEqual({ status: 'degraded', checks: { postgres: 'ok', temporal: 'failing' } });
  });

  it('is degraded without Temporal, while orders and signups are still accepted', async () => {
    vi.stubEnv('TEMPORAL_ADDRESS', '127.0.0.1:1');
    api = await startTestApi();
    const { status, body } = await call(api, 'GET', '/readyz');
    expect(body).toEqual({ status: 'degraded', checks: { postgres: 'ok', temporal: expect.not.stringMatching('^ok$') } });
    expect(status).toBe(200);
    const { key } = api.keys.customer;
    const order = await call(api, 'POST', '/v1/orders', { key, body: newOrder(), headers: freshKey() });
    const signup = await call(api, 'POST', '/v1/signups', {
      key,
      body: { email: 'ada@example.com', name: 'Ada' },
      headers: freshKey(),
    });
    expect([order.status, signup.status]).toEqual([202, 202]);
  });
});
