import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { commands, idempotencyKeys, orders } from '../../src/db/schema.ts';
import { call, freshKey, newOrder, placeOrder, startTestApi, type TestApi } from './support/api.ts';
import { startTcpProxy, type TcpProxy } from './support/tcp-proxy.ts';

let api: TestApi;
let proxy: TcpProxy;
beforeAll(async () => {
  const { hostname, port } = new URL(inject('postgresUrl'));
  proxy = await startTcpProxy({ host: hostname, port: Number(port) });
  api = await startTestApi({
    through: (databaseUrl) => {
      const url = new URL(databaseUrl);
      url.port = String(proxy.port);
      return url.href;
    },
  });
});
afterAll(async () => {
  await api.close();
  await proxy.cut();
});

describe('while Postgres is unavailable', () => {
  it('answers 503 and commits nothing; the same request succeeds once Postgres is back', async () => {
    const request = { key: api.keys.customer.key, body: newOrder(), headers: freshKey() };
    const counts = () =>
      Promise.all([api.db.$count(orders), api.db.$count(idempotencyKeys), api.db.$count(commands)]);
    await placeOrder(api);
    const before = await counts();

    await proxy.cut();
    const refused = await Promise.all(Array.from({ length: 5 }, () => call(api, 'POST', '/v1/orders', request)));
    for (const { status, headers, body } of refused) {
      expect(status).toBe(503);
      expect(headers.get('Retry-After')).toBe('2');
      expect(headers.get('Content-Type')).toBe('application/problem+json');
      expect(body).toMatchObject({ type: 'urn:holdfast:problem:unavailable' });
    }
    expect((await call(api, 'GET', '/v1/products')).status).toBe(503);
    expect((await call(api, 'GET', '/livez')).status).toBe(200);
    const ready = await call(api, 'GET', '/readyz');
    expect(ready.status).toBe(503);
    expect(ready.body).toMatchObject({ status: 'unavailable', checks: { postgres: 'failing' } });
    expect(await counts()).toEqual(before);

    await proxy.restore();
    expect((await call(api, 'POST', '/v1/orders', request)).status).toBe(202);
    expect(await counts()).toEqual(before.map((count) => count + 1));
  });

  it('answers the requests whose connection breaks', async () => {
    const id = await placeOrder(api);
    const waiting = call(api, 'GET', `/v1/orders/${id}`, { key: api.keys.customer.key, headers: { Prefer: 'wait=5' } });
    const other = call(api, 'GET', '/v1/orders', { key: api.keys.customer.key });
    expect((await other).status).toBe(200);
    await proxy.cut();
    expect((await waiting).status).toBe(503);
    await proxy.restore();
  });
});
