import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { revokeApiKey, rotateApiKey } from '../../src/operate/api-keys.ts';
import { insertApiKey } from '../../src/records/api-keys.ts';
import { call, freshKey, newOrder, startTestApi, type TestApi } from './support/api.ts';

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
