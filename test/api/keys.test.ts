import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiKeySecrets, orders } from '../../src/db/schema.ts';
import { transaction } from '../../src/db/transaction.ts';
import { revokeApiKey, rotateApiKey } from '../../src/operate/api-keys.ts';
import { startBulkAction } from '../../src/operate/bulk-actions.ts';
import { insertApiKey } from '../../src/records/api-keys.ts';
import { setOrderStatus } from '../../src/records/order-status.ts';
import { call, freshKey, newOrder, placeOrder, startTestApi, type TestApi } from './support/api.ts';
import { readEvents } from './support/events.ts';
import { openOrderFailure } from './support/failures.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const HOUR = 3_600_000;
const instruction = { actor: 'test', reason: 'a test asks for it' };

describe('a key', () => {
  it('is refused in the same way once it is revoked and once it has expired', async () => {
    const revoked = await insertApiKey(api.db, { name: 'former', role: 'operator' });
    await revokeApiKey(api.db, revoked.id, instruction);
    const expired = await insertApiKey(api.db, { name: 'trial', role: 'operator', expiresAt: new Date(Date.now() - 1_000) });
    for (const { key } of [revoked, expired]) {
      const { status, body } = await call(api, 'GET', '/v1/orders', { key });
      expect(status).toBe(401);
      expect(body).toMatchObject({ type: 'urn:holdfast:problem:unauthenticated' });
    }
  });

  it('keeps its orders and its idempotency keys when it is rotated', async () => {
    const { id, key: old } = await insertApiKey(api.db, { name: 'shop', role: 'customer' });
    const request = { body: newOrder(), headers: freshKey() };
    const placed = await call(api, 'POST', '/v1/orders', { key: old, ...request });
    const { key } = await rotateApiKey(api.db, id, { overlap: HOUR }, instruction);
    const repeated = await call(api, 'POST', '/v1/orders', { key, ...request });
    expect(repeated.headers.get('Idempotency-Replayed')).toBe('true');
    expect(repeated.body).toEqual(placed.body);
    const location = String(placed.headers.get('Location'));
    for (const secret of [old, key]) expect((await call(api, 'GET', location, { key: secret })).status).toBe(200);
    expect((await call(api, 'GET', location, { key: api.keys.stranger.key })).status).toBe(404);
  });
});

/** @returns a new operator's key, and functions that end it */
async function keyToEnd() {
  const { id, key } = await insertApiKey(api.db, { name: 'to be ended', role: 'operator' });
  const ends = {
    revoked: () => revokeApiKey(api.db, id, instruction),
    expired: async () => {
      await api.db.update(apiKeySecrets).set({ expiresAt: sql`now()` }).where(eq(apiKeySecrets.keyId, id));
    },
    rotated: async () => {
      await rotateApiKey(api.db, id, { overlap: 0 }, instruction);
    },
  };
  return { id, key, ends };
}

const follow = (path: string, key: string) => readEvents(`${api.url}${path}`, { Authorization: `Bearer ${key}` });

describe('what a key has open', () => {
  it.each(['revoked', 'expired', 'rotated'] as const)('ends once it is %s: the events of an order', async (how) => {
    const orderId = await placeOrder(api);
    const { key, ends } = await keyToEnd();
    const stream = follow(`/v1/orders/${orderId}/events`, key);
    expect(await stream.next()).toMatchObject({ value: { event: 'status' } });
    await ends[how]();
    expect(await stream.next()).toMatchObject({ done: true });
  });

  it('ends with it: the events of a bulk action', async () => {
    const { failureId } = await openOrderFailure(api);
    const ids = [failureId];
    const bulkActionId = await startBulkAction(api.db, { action: 'retry', ids, reason: 'r', ratePerSecond: 1, dryRun: false }, 'test');
    const { key, ends } = await keyToEnd();
    const stream = follow(`/v1/ops/bulk-actions/${bulkActionId}/events`, key);
    expect(await stream.next()).toMatchObject({ value: { event: 'progress' } });
    await ends.revoked();
    expect(await stream.next()).toMatchObject({ done: true });
  });

  it('ends with it: a wait for an order, which is then refused', async () => {
    const orderId = await placeOrder(api);
    const { key, ends } = await keyToEnd();
    const waiting = call(api, 'GET', `/v1/orders/${orderId}`, { key, headers: { Prefer: 'wait=30' } });
    await follow(`/v1/orders/${orderId}/events`, key).next();
    await ends.revoked();
    expect((await waiting).status).toBe(401);
  }, 25_000);

  it('ends with it: a wait for an order that it placed, which was accepted but tells nothing more', async () => {
    const { id: owner, key, ends } = await keyToEnd();
    const placing = call(api, 'POST', '/v1/orders', { key, body: newOrder(), headers: { ...freshKey(), Prefer: 'wait=30' } });
    const placed = () => api.db.select().from(orders).where(eq(orders.owner, owner));
    await expect.poll(placed).toHaveLength(1);
    const id = (await placed())[0]?.id ?? '';
    await ends.revoked();
    await transaction(api.db, (tx) => setOrderStatus(tx, { orderId: id, generation: 1 }, 'reserved'));
    const { status, headers, body } = await placing;
    expect(status).toBe(202);
    expect(body).toMatchObject({ id, status: 'accepted' });
    expect(headers.get('Preference-Applied')).toBeNull();
  }, 25_000);

  it('stays open while the old secret of a rotated key still works', async () => {
    const orderId = await placeOrder(api);
    const { id, key } = await insertApiKey(api.db, { name: 'shop', role: 'operator' });
    const stream = follow(`/v1/orders/${orderId}/events`, key);
    await stream.next();
    const other = await keyToEnd();
    const ending = follow(`/v1/orders/${orderId}/events`, other.key);
    await ending.next();
    await rotateApiKey(api.db, id, { overlap: HOUR }, instruction);
    await other.ends.revoked();
    // One look has ended the other stream, so it has seen this one, too.
    expect(await ending.next()).toMatchObject({ done: true });
    await transaction(api.db, (tx) => setOrderStatus(tx, { orderId, generation: 1 }, 'reserved'));
    expect(await stream.next()).toMatchObject({ value: { event: 'status' } });
    await stream.return(undefined);
  });
});
