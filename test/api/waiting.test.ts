import { once } from 'node:events';
import { connect } from 'node:net';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import type { OrderStatus } from '../../src/contracts/statuses.ts';
import { refuseCancellation } from '../../src/records/cancellations.ts';
import { setOrderStatus } from '../../src/records/order-status.ts';
import { call, freshKey, newOrder, placeOrder, startTestApi, type TestApi } from './support/api.ts';
import { readEvents, type ServerSentEvent } from './support/events.ts';
import { transaction } from '../../src/db/transaction.ts';

// Shorter than the longest wait: an answer that comes only at its end comes too late.
vi.setConfig({ testTimeout: 25_000 });

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const move = (orderId: string, status: OrderStatus) =>
  transaction(api.db, (tx) => setOrderStatus(tx, { orderId, generation: 1 }, status));
const get = (id: string, prefer: string) =>
  call(api, 'GET', `/v1/orders/${id}`, { key: api.keys.customer.key, headers: { Prefer: prefer } });
const follow = (id: string, headers: Record<string, string> = {}, signal?: AbortSignal) =>
  readEvents(
    `${api.url}/v1/orders/${id}/events`,
    { Authorization: `Bearer ${api.keys.customer.key}`, ...headers },
    signal,
  );
const cancel = (id: string) =>
  call(api, 'POST', `/v1/orders/${id}/cancellation`, { key: api.keys.customer.key, body: { reason: 'changed my mind' } });
const all = async (stream: AsyncIterable<ServerSentEvent>) => {
  const events: ServerSentEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
};
const statuses = (events: ServerSentEvent[]) => events.map(({ data }): unknown => JSON.parse(data ?? '').status);

describe('Prefer: wait', () => {
  it('answers once the order needs nothing more or waits for a person', async () => {
    const id = await placeOrder(api);
    const answer = get(id, 'wait=30');
    await move(id, 'reserved');
    await move(id, 'completed');
    const { headers, body } = await answer;
    expect(body).toMatchObject({ status: 'completed' });
    expect(headers.get('Preference-Applied')).toBe('wait=30');
  });

  it.each(['fulfilling', 'shipped'] as const)('answers once the order is %s: what comes next takes days', async (status) => {
    const id = await placeOrder(api);
    const answer = get(id, 'wait=30');
    await move(id, 'reserved');
    await move(id, status);
    expect((await answer).body).toMatchObject({ status });
    expect((await get(id, 'wait=30')).body).toMatchObject({ status });
  });

  it('answers immediately when that is already so', async () => {
    const id = await placeOrder(api);
    await move(id, 'needs_attention');
    expect((await get(id, 'respond-async, wait=30')).body).toMatchObject({ status: 'needs_attention' });
  });

  it('answers with the current order when the time is over', async () => {
    const id = await placeOrder(api);
    const { status, body } = await get(id, 'wait=1');
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'accepted' });
  });

  it('waits at most 30 s', async () => {
    const id = await placeOrder(api);
    await move(id, 'completed');
    expect((await get(id, 'wait=900')).headers.get('Preference-Applied')).toBe('wait=30');
  });

  it('ignores other preferences', async () => {
    const id = await placeOrder(api);
    const { status, headers } = await get(id, 'wait=soon');
    expect(status).toBe(200);
    expect(headers.get('Preference-Applied')).toBeNull();
  });

  it('also applies to placing an order, whose repetition gets the first answer', async () => {
    const request = {
      key: api.keys.customer.key,
      body: newOrder(),
      headers: { ...freshKey(), Prefer: 'wait=1' },
    };
    const first = await call(api, 'POST', '/v1/orders', request);
    expect(first.status).toBe(202);
    expect(first.headers.get('Preference-Applied')).toBe('wait=1');
    await move(String(first.headers.get('Location')).replace('/v1/orders/', ''), 'completed');
    const repeated = await call(api, 'POST', '/v1/orders', request);
    expect(repeated.headers.get('Preference-Applied')).toBeNull();
    expect(repeated.body).toMatchObject({ status: 'accepted' });
  });

  it('still notices changes after the listening connection was lost', async () => {
    await api.db.execute(
      sql`select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen%' and datname = current_database()`,
    );
    const id = await placeOrder(api);
    const answer = get(id, 'wait=30');
    await move(id, 'cancelled');
    expect((await answer).body).toMatchObject({ status: 'cancelled' });
  });
});

describe('the event stream', () => {
  it('sends every status as it changes, and ends with the last', async () => {
    const id = await placeOrder(api);
    const seen: ServerSentEvent[] = [];
    for await (const event of follow(id)) {
      seen.push(event);
      // The next change is made only once this one was seen: nothing here depends on timing.
      if (seen.length === 1) await move(id, 'reserved');
      if (seen.length === 2) await move(id, 'completed');
    }
    expect(statuses(seen)).toEqual(['accepted', 'reserved', 'completed']);
    expect(seen[0]).toMatchObject({ event: 'status', id: expect.stringMatching(/^\d+$/) });
    expect(JSON.parse(seen[0]?.['data'] ?? '')).toEqual({
      status: 'accepted',
      generation: 1,
      at: expect.stringMatching(/Z$/),
    });
  });

  it('sends what becomes of a cancellation, before the status that ends the order', async () => {
    const id = await placeOrder(api);
    const seen: ServerSentEvent[] = [];
    for await (const event of follow(id)) {
      seen.push(event);
      if (seen.length === 1) await cancel(id);
      if (seen.length === 2) await move(id, 'cancelled');
    }
    expect(seen.map(({ event }) => event)).toEqual(['status', 'cancellation', 'cancellation', 'status']);
    const requestedAt = expect.stringMatching(/Z$/) as unknown;
    const cancellations = seen.slice(1, 3).map(({ data }): unknown => JSON.parse(data ?? ''));
    expect(cancellations).toEqual([
      { cancellation: { status: 'requested', reason: 'changed my mind', requestedAt, settledAt: null }, generation: 1, at: requestedAt },
      { cancellation: { status: 'done', reason: 'changed my mind', requestedAt, settledAt: requestedAt }, generation: 1, at: requestedAt },
    ]);
    const { body } = await call(api, 'GET', `/v1/orders/${id}`, { key: api.keys.customer.key });
    expect(body).toMatchObject({ cancellation: z.object({ cancellation: z.unknown() }).parse(cancellations[1]).cancellation });
  });

  it('sends that a cancellation was refused while the order goes on', async () => {
    const id = await placeOrder(api);
    await cancel(id);
    await refuseCancellation(api.db, { orderId: id, generation: 1 });
    await move(id, 'completed');
    const events = await all(follow(id));
    expect(events.map(({ event, data }): unknown => (event === 'status' ? JSON.parse(data ?? '').status : JSON.parse(data ?? '').cancellation.status))).toEqual([
      'accepted',
      'requested',
      'refused',
      'completed',
    ]);
  });

  it('resumes after the last event that the client received', async () => {
    const id = await placeOrder(api);
    const leaving = new AbortController();
    let last = '';
    for await (const event of follow(id, {}, leaving.signal)) {
      last = event['id'] ?? '';
      break;
    }
    leaving.abort();
    await move(id, 'reserved');
    await move(id, 'failed');
    const rest = await all(follow(id, { 'Last-Event-ID': last }));
    expect(statuses(rest)).toEqual(['reserved', 'failed']);
  });

  it('tells a client that has received the last event not to reconnect', async () => {
    const id = await placeOrder(api);
    await move(id, 'completed');
    const events = await all(follow(id));
    const { status } = await call(api, 'GET', `/v1/orders/${id}/events`, {
      key: api.keys.customer.key,
      headers: { 'Last-Event-ID': events.at(-1)?.['id'] ?? '' },
    });
    expect(status).toBe(204);
  });
});

describe('shutting down', () => {
  it('answers waiting requests and ends the streams', async () => {
    const stopping = await startTestApi();
    const id = await placeOrder(stopping);
    const { key } = stopping.keys.customer;
    const waiting = call(stopping, 'GET', `/v1/orders/${id}`, { key, headers: { Prefer: 'wait=30' } });
    const stream = readEvents(`${stopping.url}/v1/orders/${id}/events`, { Authorization: `Bearer ${key}` });
    await stream.next();
    await stopping.close();
    expect((await waiting).status).toBe(200);
    expect(await stream.next()).toMatchObject({ done: true });
  });

  it('does not wait for idle connections', async () => {
    const stopping = await startTestApi();
    const { hostname, port } = new URL(stopping.url);
    const silent = connect(Number(port), hostname);
    await once(silent, 'connect');
    const ended = once(silent, 'close');
    await call(stopping, 'GET', '/livez');
    await stopping.close();
    expect(await ended).toBeDefined();
  });
});
