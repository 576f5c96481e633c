import { describe, expect, it } from 'vitest';
import { apiKeys } from '../../src/db/schema.ts';
import { createApiKey, revokeApiKey } from '../../src/operate/api-keys.ts';
import { findApiKey, listApiKeys } from '../../src/queries/api-keys.ts';
import { listActions } from '../../src/queries/operator-actions.ts';
import { ensureApiKey } from '../../src/records/api-keys.ts';
import { useDatabase } from '../support/database.ts';

const db = await useDatabase();
const instruction = { actor: 'cli:ada', reason: 'a new shop' };

describe('an API key', () => {
  it('is found until it is revoked, and is not stored in the clear', async () => {
    const { id, key } = await createApiKey(db, { name: 'shop', role: 'support' }, instruction);
    expect(await findApiKey(db, key)).toEqual({ keyId: id, role: 'support' });
    expect(JSON.stringify(await db.select().from(apiKeys))).not.toContain(key);
    expect(await listApiKeys(db)).toContainEqual(
      expect.objectContaining({ id, name: 'shop', role: 'support', revokedAt: null }),
    );
    await revokeApiKey(db, id, instruction);
    await expect(revokeApiKey(db, id, instruction)).rejects.toMatchObject({ type: 'not_found' });
    expect(await findApiKey(db, key)).toBeUndefined();
    expect(await listActions(db, { limit: 10 })).toMatchObject([
      { action: 'revoke_api_key', target: id, ...instruction },
      { action: 'create_api_key', target: id, ...instruction },
    ]);
  });

  it('is created once if four processes ensure the same key at once', async () => {
    const chosen = { name: 'sandbox', role: 'operator', key: 'hf_chosen' } as const;
    await Promise.all([1, 2, 3, 4].map(() => ensureApiKey(db, chosen)));
    expect(await findApiKey(db, chosen.key)).toMatchObject({ role: 'operator' });
    expect((await listApiKeys(db)).filter(({ name }) => name === 'sandbox')).toHaveLength(1);
  });
});
