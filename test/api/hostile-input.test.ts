import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPERATIONS } from './support/document.ts';
import { freshKey, newOrder, startTestApi, type TestApi } from './support/api.ts';
import { HOSTILE_BODIES, HOSTILE_HEADERS, HOSTILE_IDS, HOSTILE_TEXTS } from './support/hostile.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

/** Sends a request as it is: the client must not repair it. @returns its status */
async function send(method: string, path: string, { body, headers = {} }: { body?: string | Uint8Array<ArrayBuffer>; headers?: Record<string, string> } = {}): Promise<number> {
  const sent = { Authorization: `Bearer ${api.keys.operator.key}`, 'Content-Type': 'application/json', ...headers };
  const response = await fetch(`${api.url}${path}`, { method, headers: sent, ...(body === undefined ? {} : { body }) });
  await response.body?.cancel();
  return response.status;
}

/** @returns how many rows were written by requests that create something */
async function stored(): Promise<unknown> {
  const { rows } = await api.db.execute(sql`
    select (select count(*) from orders) as orders, (select count(*) from signups) as signups,
      (select count(*) from idempotency_keys) as keys, (select count(*) from commands) as commands,
      (select count(*) from bulk_actions) as "bulkActions", (select count(*) from operator_actions) as actions`);
  return rows;
}

/** Fails unless a request was refused, and has left nothing behind. */
async function expectRefused(request: () => Promise<number>): Promise<void> {
  const before = await stored();
  const status = await request();
  expect(status).toBeGreaterThanOrEqual(400);
  expect(status).toBeLessThan(500);
  expect(await stored()).toEqual(before);
}

const withId = OPERATIONS.filter(({ path }) => path.includes('{id}'));

describe.each(HOSTILE_IDS)('the id %j', (id) => {
  it.each(withId)('is refused by $operationId', async ({ method, path }) => {
    const body = method === 'post' ? { body: '{}' } : {};
    await expectRefused(() => send(method.toUpperCase(), path.replace('{id}', id), body));
  });
});

describe.each(HOSTILE_TEXTS)('the text %j', (_, text) => {
  it('is refused as a name', async () => {
    const body = JSON.stringify({ email: 'ada@example.com', name: text });
    await expectRefused(() => send('POST', '/v1/signups', { body, headers: freshKey() }));
  });

  it('is refused in an order', async () => {
    const order = newOrder();
    const body = JSON.stringify({ ...order, shippingAddress: { ...order.shippingAddress, line1: text } });
    await expectRefused(() => send('POST', '/v1/orders', { body, headers: freshKey() }));
  });

  it('is refused as a reason', async () => {
    const body = JSON.stringify({ action: 'retry', filter: {}, reason: text });
    await expectRefused(() => send('POST', '/v1/ops/bulk-actions', { body }));
  });

  it.each(['/v1/ops/failures?text=', '/v1/ops/failures?step=', '/v1/ops/failures?from=', '/v1/ops/orders?email=', '/v1/orders?cursor=', '/v1/reports/weekly/'])(
    'does not break %s',
    async (path) => {
      expect(await send('GET', `${path}${encodeURIComponent(text.replaceAll(/\p{Cs}/gu, ''))}`)).toBeLessThan(500);
    },
  );
});

describe.each(HOSTILE_BODIES)('%s as a body', (_, body) => {
  it.each(['/v1/orders', '/v1/signups', '/v1/ops/bulk-actions'])('is refused by %s', async (path) => {
    await expectRefused(() => send('POST', path, { body, headers: freshKey() }));
  });
});

it.each(HOSTILE_HEADERS)('the header %s: %j breaks nothing, and is not repeated', async (name, value) => {
  const response = await fetch(`${api.url}/v1/orders`, { headers: { Authorization: `Bearer ${api.keys.operator.key}`, [name]: value } });
  expect(response.status).toBeLessThan(500);
  expect(JSON.stringify([...response.headers])).not.toContain('injected');
});
