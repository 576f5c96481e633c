import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { findSession } from '../../src/console/sign-in/sessions.ts';
import { migrate } from '../../src/db/migrate.ts';
import { findCallers, listApiKeys } from '../../src/queries/api-keys.ts';
import { hashToken } from '../../src/records/tokens.ts';
import { useEarlierDatabase } from '../support/earlier-database.ts';

const { db, url } = await useEarlierDatabase({ migrations: 20 });

const ACTIVE = '0197d0a0-0000-7000-8000-00000000000a';
const REVOKED = '0197d0a0-0000-7000-8000-00000000000b';

it('keeps keys, their revocation and the sessions of operators', async () => {
  for (const [id, key, revokedAt] of [
    [ACTIVE, 'hf_active', null],
    [REVOKED, 'hf_revoked', '2026-01-01T00:00:00Z'],
  ]) {
    await db.execute(sql`insert into api_keys (id, name, role, secret_hash, revoked_at)
      values (${id}, 'night shift', 'operator', ${hashToken(String(key))}, ${revokedAt}::timestamptz)`);
  }
  await db.execute(sql`insert into operator_sessions (token_hash, key_id, expires_at)
    values (${hashToken('of-active')}, ${ACTIVE}, now() + interval '1 hour'), (${hashToken('of-revoked')}, ${REVOKED}, now() + interval '1 hour')`);

  await migrate(url);

  const callers = await findCallers(db, [hashToken('hf_active'), hashToken('hf_revoked')]);
  expect([...callers]).toEqual([[hashToken('hf_active'), { keyId: ACTIVE, role: 'operator' }]]);
  expect(await listApiKeys(db)).toMatchObject([
    { id: ACTIVE, revokedAt: null, secrets: [{ expiresAt: null, lastUsedAt: null }] },
    { id: REVOKED, revokedAt: expect.any(Date), secrets: [{ expiresAt: null }] },
  ]);
  expect(await findSession(db, 'of-active')).toMatchObject({ caller: { keyId: ACTIVE } });
  expect(await findSession(db, 'of-revoked')).toBeUndefined();
});
