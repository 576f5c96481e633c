import { describe, expect, it } from 'vitest';
import { apiKeys, apiKeySecrets } from '../../src/db/schema.ts';
import { createApiKey, revokeApiKey, rotateApiKey } from '../../src/operate/api-keys.ts';
import { findCallers, listApiKeys } from '../../src/queries/api-keys.ts';
import { listActions } from '../../src/queries/operator-actions.ts';
import { ensureApiKey, insertApiKey } from '../../src/records/api-keys.ts';
import { hashToken } from '../../src/records/tokens.ts';
import { useDatabase } from '../support/database.ts';

const db = await useDatabase();
const instruction = { actor: 'cli:ada', reason: 'a new shop' };
const HOUR = 3_600_000;

const callerOf = async (key: string) => (await findCallers(db, [hashToken(key)])).get(hashToken(key));
const secretsOf = async (id: string) => (await listApiKeys(db)).find((key) => key.id === id)?.secrets ?? [];

describe('an API key', () => {
  it('is found until it is revoked, and is not stored in the clear', async () => {
    const { id, key } = await createApiKey(db, { name: 'shop', role: 'support' }, instruction);
    expect(await callerOf(key)).toEqual({ keyId: id, role: 'support' });
    expect(JSON.stringify([await db.select().from(apiKeys), await db.select().from(apiKeySecrets)])).not.toContain(key);
    expect(await listApiKeys(db)).toContainEqual(
      expect.objectContaining({
        id,
        name: 'shop',
        role: 'support',
        revokedAt: null,
        secrets: [{ createdAt: expect.any(Date), expiresAt: null, lastUsedAt: null }],
      }),
    );
    await revokeApiKey(db, id, instruction);
    await expect(revokeApiKey(db, id, instruction)).rejects.toMatchObject({ type: 'not_found' });
    await expect(rotateApiKey(db, id, { overlap: 0 }, instruction)).rejects.toMatchObject({ type: 'not_found' });
    expect(await callerOf(key)).toBeUndefined();
    expect(await listActions(db, { limit: 10 })).toMatchObject([
      { action: 'revoke_api_key', target: id, ...instruction },
      { action: 'create_api_key', target: id, ...instruction },
    ]);
  });

  it('is not found once it has expired', async () => {
    const { key } = await insertApiKey(db, { name: 'trial', role: 'customer', expiresAt: new Date(Date.now() - 1_000) });
    expect(await callerOf(key)).toBeUndefined();
  });

  it('is created once if four processes ensure the same key at once', async () => {
    const chosen = { name: 'sandbox', role: 'operator', key: 'hf_chosen' } as const;
    await Promise.all([1, 2, 3, 4].map(() => ensureApiKey(db, chosen)));
    expect(await callerOf(chosen.key)).toMatchObject({ role: 'operator' });
    expect((await listApiKeys(db)).filter(({ name }) => name === 'sandbox')).toHaveLength(1);
  });

  it('is in use again once it is ensured', async () => {
    const chosen = { name: 'sandbox', role: 'support', key: 'hf_ensured' } as const;
    await ensureApiKey(db, chosen);
    const { keyId = '' } = (await callerOf(chosen.key)) ?? {};
    await revokeApiKey(db, keyId, instruction);
    await ensureApiKey(db, chosen);
    expect(await callerOf(chosen.key)).toEqual({ keyId, role: 'support' });
  });
});

describe('rotating a key', () => {
  it('gives it a new secret, and the old one works until the overlap ends', async () => {
    const { id, key: old } = await insertApiKey(db, { name: 'shop', role: 'customer' });
    const { key } = await rotateApiKey(db, id, { overlap: HOUR }, instruction);
    expect(await callerOf(key)).toEqual({ keyId: id, role: 'customer' });
    expect(await callerOf(old)).toEqual({ keyId: id, role: 'customer' });
    expect(await secretsOf(id)).toMatchObject([{ expiresAt: null }, { expiresAt: expect.any(Date) }]);
    expect((await listActions(db, { limit: 1 }))[0]).toMatchObject({ action: 'rotate_api_key', target: id, ...instruction });
  });

  it('ends the old secret at once without an overlap', async () => {
    const { id, key: old } = await insertApiKey(db, { name: 'shop', role: 'customer' });
    const { key } = await rotateApiKey(db, id, { overlap: 0 }, instruction);
    expect(await callerOf(old)).toBeUndefined();
    expect(await callerOf(key)).toMatchObject({ keyId: id });
  });

  it('never makes the old secret last longer', async () => {
    const expiresAt = new Date(Date.now() + HOUR);
    const { id } = await insertApiKey(db, { name: 'shop', role: 'customer', expiresAt });
    await rotateApiKey(db, id, { overlap: 24 * HOUR }, instruction);
    expect((await secretsOf(id))[1]).toMatchObject({ expiresAt });
  });

  it('lets the new secret last as long as the old one did, unless told otherwise', async () => {
    const { id } = await insertApiKey(db, { name: 'shop', role: 'customer', expiresAt: new Date(Date.now() + HOUR) });
    await rotateApiKey(db, id, { overlap: 0 }, instruction);
    const [renewed, first] = await secretsOf(id);
    expect(renewed?.expiresAt?.getTime()).toBeGreaterThan(first?.expiresAt?.getTime() ?? Infinity);
    await rotateApiKey(db, id, { overlap: 0, expiresAt: null }, instruction);
    expect((await secretsOf(id))[0]).toMatchObject({ expiresAt: null });
  });

  it('leaves one secret in use if two rotate it at once', async () => {
    const { id } = await insertApiKey(db, { name: 'shop', role: 'customer' });
    const rotate = () => rotateApiKey(db, id, { overlap: 0 }, instruction);
    const callers = await Promise.all((await Promise.all([rotate(), rotate()])).map(({ key }) => callerOf(key)));
    expect(callers.filter(Boolean)).toHaveLength(1);
  });
});
