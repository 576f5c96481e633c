import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectDatabase, type DatabaseHandle } from '../../src/db/client.ts';
import { apiKeys } from '../../src/db/schema.ts';
import { createApiKey, revokeApiKey } from '../../src/operate/api-keys.ts';
import { findApiKey, listApiKeys } from '../../src/queries/api-keys.ts';
import { listActions } from '../../src/queries/operator-actions.ts';
import { ensureApiKey } from '../../src/records/api-keys.ts';
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

const instruction = { actor: 'cli:ada', reason: 'a new shop' };

describe('an API key', () => {
  it('is found until it is revoked, and is nowhere stored', async () => {
    const { id, key } = await createApiKey(handle.db, { name: 'shop', role: 'support' }, instruction);
    expect(await findApiKey(handle.db, key)).toEqual({ keyId: id, role: 'support' });
    expect(JSON.stringify(await handle.db.select().from(apiKeys))).not.toContain(key);
    expect(await listApiKeys(handle.db)).toContainEqual(
      expect.objectContaining({ id, name: 'shop', role: 'support', revokedAt: null }),
    );
    await revokeApiKey(handle.db, id, instruction);
    await expect(revokeApiKey(handle.db, id, instruction)).rejects.toMatchObject({ type: 'not_found' });
    expect(await findApiKey(handle.db, key)).toBeUndefined();
    expect(await listActions(handle.db, { limit: 10 })).toMatchObject([
      { action: 'revoke_api_key', target: id, ...instruction },
      { action: 'create_api_key', target: id, ...instruction },
    ]);
  });

  it('chosen in advance is made once, by four processes at once too', async () => {
    const chosen = { name: 'sandbox', role: 'operator', key: 'hf_chosen' } as const;
    await Promise.all([1, 2, 3, 4].map(() => ensureApiKey(handle.db, chosen)));
    const found = await findApiKey(handle.db, 'hf_chosen');
    expect(found).toMatchObject({ role: 'operator' });
    expect((await listApiKeys(handle.db)).filter(({ name }) => name === 'sandbox')).toHaveLength(1);
  });
});
