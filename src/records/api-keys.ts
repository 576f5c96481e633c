import { eq, sql } from 'drizzle-orm';
import type { Role } from '../contracts/statuses.ts';
import type { Database } from '../db/client.ts';
import { apiKeys, apiKeySecrets } from '../db/schema.ts';
import { transaction } from '../db/transaction.ts';
import { newId } from './new-id.ts';
import { hashToken, newToken } from './tokens.ts';

export interface NewApiKey {
  /** Who uses it: for people to tell keys apart. */
  name: string;
  role: Role;
  /** When it ends by itself; never, unless given. */
  expiresAt?: Date | null | undefined;
}

/** Writes a new API key. @returns its secret as `key`, which cannot be read again */
export async function insertApiKey(
  db: Pick<Database, 'insert'>,
  { name, role, expiresAt = null }: NewApiKey,
): Promise<{ id: string; key: string }> {
  const id = newId();
  await db.insert(apiKeys).values({ id, name, role });
  return { id, key: await insertSecret(db, id, expiresAt) };
}

/** Gives a key another secret. @returns the secret, which cannot be read again */
export async function insertSecret(db: Pick<Database, 'insert'>, keyId: string, expiresAt: Date | null): Promise<string> {
  const secret = `hf_${newToken().token}`;
  await db.insert(apiKeySecrets).values({ hash: hashToken(secret), keyId, expiresAt });
  return secret;
}

/** Makes sure that a key with a secret of the caller's choice exists, for a stack whose keys are set in advance. */
export async function ensureApiKey(db: Database, { name, role, key }: { name: string; role: Role; key: string }): Promise<void> {
  const hash = hashToken(key);
  await transaction(db, async (tx) => {
    // One process at a time, so that two cannot both find it missing.
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${hash}, 0))`);
    const [known] = await tx
      .update(apiKeySecrets)
      .set({ expiresAt: null })
      .where(eq(apiKeySecrets.hash, hash))
      .returning({ keyId: apiKeySecrets.keyId });
    if (known) {
      await tx.update(apiKeys).set({ name, role, revokedAt: null }).where(eq(apiKeys.id, known.keyId));
    } else {
      const id = newId();
      await tx.insert(apiKeys).values({ id, name, role });
      await tx.insert(apiKeySecrets).values({ hash, keyId: id });
    }
  });
}

/**
 * Records when secrets were used last, in one statement.
 * @param uses the times, by the hashes of the secrets
 */
export async function recordUses(db: Database, uses: ReadonlyMap<string, Date>): Promise<void> {
  const hashes = sql.param([...uses.keys()]);
  const times = sql.param([...uses.values()].map((at) => at.toISOString()));
  // A row that is locked is being written by another process, which has seen much the same use.
  await db.execute(sql`
    with
      used as (select * from unnest(${hashes}::text[], ${times}::timestamptz[]) as used (hash, used_at)),
      free as (
        select hash, used_at from ${apiKeySecrets} as secret join used using (hash)
        for no key update of secret skip locked
      )
    update ${apiKeySecrets} as secret set last_used_at = greatest(secret.last_used_at, free.used_at)
    from free where secret.hash = free.hash`);
}
