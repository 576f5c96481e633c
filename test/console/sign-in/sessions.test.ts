import { beforeEach, describe, expect, it } from 'vitest';
import { findSession, openSession } from '../../../src/console/sign-in/sessions.ts';
import { apiKeySecrets } from '../../../src/db/schema.ts';
import { revokeApiKey, rotateApiKey } from '../../../src/operate/api-keys.ts';
import { insertApiKey } from '../../../src/records/api-keys.ts';
import { useDatabase } from '../../support/database.ts';

const db = await useDatabase();
const instruction = { actor: 'cli:ada', reason: 'lost' };

describe('a session', () => {
  let keyId: string;
  let token: string;
  beforeEach(async () => {
    const { id, key } = await insertApiKey(db, { name: 'night shift', role: 'operator' });
    keyId = id;
    token = await openSession(db, { keyId, role: 'operator' }, key);
  });

  it('belongs to the operator whose key opened it', async () => {
    expect(await findSession(db, token)).toMatchObject({ caller: { keyId, role: 'operator' } });
  });

  it('ends when its key is revoked', async () => {
    await revokeApiKey(db, keyId, instruction);
    expect(await findSession(db, token)).toBeUndefined();
  });

  it('ends when its key expires', async () => {
    await db.update(apiKeySecrets).set({ expiresAt: new Date(Date.now() - 1_000) });
    expect(await findSession(db, token)).toBeUndefined();
  });

  it('lasts while the secret that opened it still works, and ends with it', async () => {
    await rotateApiKey(db, keyId, { overlap: 3_600_000 }, instruction);
    expect(await findSession(db, token)).toMatchObject({ caller: { keyId } });
    await rotateApiKey(db, keyId, { overlap: 0 }, instruction);
    expect(await findSession(db, token)).toBeUndefined();
  });
});
