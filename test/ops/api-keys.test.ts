import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectDatabase, type DatabaseHandle } from '../../src/db/client.ts';
import { apiKeys } from '../../src/db/schema.ts';
import { createApiKey, ensureApiKey, findApiKey, listApiKeys, revokeApiKey } from '../../src/ops/api-keys.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let handle: DatabaseHandle;
beforeAll(async () => {
  database = await createTestDatabase();
  handle = connectDatabase(database.url, { max: 5, name: 'test' });
});
afterAll(async () => {
  await handle.close();
  await database.drop();
});

describe('an API key', () => {
  it('is found until it is revoked, and is nowhere stored', async () => {
    const { id, key } = await createApiKey(handle.db, { name: 'shop', role: 'support' });
    expect(await findApiKey(handle.db, key)).toEqual({ id, role: 'support' });
    expect(JSON.stringify(await handle.db.select().from(apiKeys))).not.toContain(key);
    expect(await listApiKeys(handle.db)).toContainEqual(
      expect.objectContaining({ id, name: 'shop', role: 'support', revokedAt: null }),
    );
    expect(await revokeApiKey(handle.db, id)).toBe(true);
    expect(await revokeApiKey(handle.db, id)).toBe(false);
    expect(await findApiKey(handle.db, key)).toBeUndefined();
  });

  it('chosen in advance is made once, by four processes at once too', async () => {
    const chosen = { name: 'sandbox', role: 'operator', key: 'hf_chosen' } as const;
    await Promise.all([1, 2, 3, 4].map(() => ensureApiKey(handle.db, chosen)));
    const found = await findApiKey(handle.db, 'hf_chosen');
    expect(found).toMatchObject({ role: 'operator' });
    expect((await listApiKeys(handle.db)).filter(({ name }) => name === 'sandbox')).toHaveLength(1);
  });
});
