import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { openSession } from '../../src/console/sign-in/sessions.ts';
import { keepLog } from '../support/kept-log.ts';
import { call, freshKey, newOrder, startTestApi, type TestApi } from './support/api.ts';

const line = z.looseObject({ msg: z.string() });
const { log, lines } = keepLog('trace');
const written = () => lines.map((text) => line.parse(JSON.parse(text)));

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ log });
});
afterAll(() => api.close());

describe('the log', () => {
  it('has one line per request, with caller and duration but no personal data', async () => {
    const headers = { ...freshKey(), 'X-Request-Id': 'seen-in-the-log' };
    await call(api, 'POST', '/v1/orders', { key: api.keys.customer.key, body: newOrder(), headers });
    expect(written()).toContainEqual(
      expect.objectContaining({
        msg: 'request',
        requestId: 'seen-in-the-log',
        method: 'POST',
        path: '/v1/orders',
        status: 202,
        ms: expect.any(Number),
        keyId: api.keys.customer.id,
      }),
    );
    expect(lines.join('')).not.toMatch(/ada@example|Lovelace|London/);
  });

  it('names an order or a signup by its id, and nothing else that a caller put into a path', async () => {
    const id = '019AD0A1-52C4-7E0F-8A6B-D13C5F7E9B20';
    const paths = [`/v1/orders/${id}/saga`, '/v1/signups/ada@example.com', '/v1/orders/Lovelace/saga', '/Lovelace'];
    for (const path of paths) await call(api, 'GET', path, { key: api.keys.customer.key, headers: { 'X-Request-Id': 'path' } });
    const logged = written().filter(({ requestId }) => requestId === 'path');
    expect(logged.map(({ path }) => path)).toEqual([`/v1/orders/${id}/saga`, '/v1/signups/:id', '/v1/orders/:id/saga', '/*']);
    expect(lines.join('')).not.toMatch(/ada@example|Lovelace/);
  });

  it('shows where an internal error happened, and neither it nor the answer contains the request', async () => {
    await api.db.execute(sql`alter table order_items rename to elsewhere`);
    const { status, body } = await call(api, 'POST', '/v1/orders', {
      key: api.keys.customer.key,
      body: newOrder(),
      headers: { ...freshKey(), 'X-Request-Id': 'broken' },
    });
    await api.db.execute(sql`alter table elsewhere rename to order_items`);
    expect(status).toBe(500);
    expect(body).toMatchObject({ type: 'urn:holdfast:problem:internal', requestId: 'broken' });
    expect(JSON.stringify(body)).not.toMatch(/order_items|insert|select/i);
    expect(written()).toContainEqual(
      expect.objectContaining({ level: 50, requestId: 'broken', error: 'DatabaseError', code: '42P01' }),
    );
    expect(lines.join('')).not.toMatch(/ada@example|Lovelace|London/);
    expect(lines.join('')).not.toContain(api.keys.customer.key);
  });

  it('describes a query that fails while a list is streamed, without what was searched for', async () => {
    const { id, key } = api.keys.operator;
    const token = await openSession(api.db, { keyId: id, role: 'operator' }, key);
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
    // Whatever counts the orders still works, so that the answer begins.
    await api.db.execute(sql`alter table orders rename column line1 to elsewhere`);
    for (const file of ['orders/live', 'orders.csv']) {
      const requestId = file.replaceAll(/[/.]/g, '-');
      const headers = { Cookie: `holdfast_session=${token}`, 'X-Request-Id': requestId };
      const answer = await fetch(`${api.url}/ops/${file}?email=ada@example.com`, { headers });
      expect(answer.status).toBe(200);
      const text = await answer.text().catch(String);
      expect(text).not.toMatch(/ada@example|select/i);
      expect(written()).toContainEqual(expect.objectContaining({ level: 50, requestId, error: 'DatabaseError', code: '42703' }));
    }
    await api.db.execute(sql`alter table orders rename column elsewhere to line1`);
    expect(lines.join('')).not.toContain('ada@example');
    expect(printed.mock.calls.map((what) => what.map(String).join(' ')).join(' ')).not.toMatch(/ada@example|select/i);
    printed.mockRestore();
  });
});
