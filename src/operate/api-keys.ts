import { and, desc, eq, isNull, sql } from 'drizzle-orm';
import type { Instruction } from '../contracts/caller.ts';
import { notFound } from '../contracts/request-error.ts';
import type { Database } from '../db/client.ts';
import { apiKeys, apiKeySecrets } from '../db/schema.ts';
import { transaction } from '../db/transaction.ts';
import { insertApiKey, insertSecret, type NewApiKey } from '../records/api-keys.ts';
import { recordOperatorAction } from '../records/audit.ts';

/** Creates an API key. @returns its secret as `key`, which cannot be read again */
export async function createApiKey(
  db: Database,
  newKey: NewApiKey,
  instruction: Instruction,
): Promise<{ id: string; key: string }> {
  return await transaction(db, async (tx) => {
    const created = await insertApiKey(tx, newKey);
    await recordOperatorAction(tx, 'create_api_key', created.id, instruction);
    return created;
  });
}

/** How to rotate a key. */
export interface Rotation {
  /** ms for which the secrets that the key has now are still accepted. */
  overlap: number;
  /** When the new secret ends, or null for never. By default it lasts as long as the one before it. */
  expiresAt?: Date | null | undefined;
}

/**
 * Gives a key a new secret. What belongs to the key stays: its orders and signups, its idempotency keys.
 * @returns the new secret as `key`, which cannot be read again
 * @throws RequestError `not_found` when no key with this id is in use
 */
export async function rotateApiKey(
  db: Database,
  id: string,
  { overlap, expiresAt }: Rotation,
  instruction: Instruction,
): Promise<{ id: string; key: string }> {
  return await transaction(db, async (tx) => {
    const [active] = await tx
      .select({ id: apiKeys.id })
      .from(apiKeys)
      .where(and(eq(apiKeys.id, id), isNull(apiKeys.revokedAt)))
      .for('no key update');
    if (!active) throw notFound('active key');
    const isOfKey = eq(apiKeySecrets.keyId, id);
    const [latest] = await tx.select().from(apiKeySecrets).where(isOfKey).orderBy(desc(apiKeySecrets.createdAt)).limit(1);
    await tx
      .update(apiKeySecrets)
      .set({ expiresAt: sql`least(${apiKeySecrets.expiresAt}, now() + make_interval(secs => ${overlap / 1_000}))` })
      .where(isOfKey);
    const key = await insertSecret(tx, id, expiresAt === undefined ? renewed(latest) : expiresAt);
    await recordOperatorAction(tx, 'rotate_api_key', id, instruction);
    return { id, key };
  });
}

/** @returns when a secret ends that lasts from now on as long as the one before it */
function renewed(before: { createdAt: Date; expiresAt: Date | null } | undefined): Date | null {
  if (!before?.expiresAt) return null;
  return new Date(Date.now() + before.expiresAt.getTime() - before.createdAt.getTime());
}

/**
 * Revokes a key with all its secrets, for good. The API may still accept them for a few seconds (see `api/key-ring.ts`).
 * @throws RequestError `not_found` when no key with this id is in use
 */
export async function revokeApiKey(db: Database, id: string, instruction: Instruction): Promise<void> {
  await transaction(db, async (tx) => {
    const revoked = await tx
      .update(apiKeys)
      .set({ revokedAt: sql`now()` })
      .where(and(eq(apiKeys.id, id), isNull(apiKeys.revokedAt)))
      .returning({ id: apiKeys.id });
    if (revoked.length === 0) throw notFound('active key');
    await recordOperatorAction(tx, 'revoke_api_key', id, instruction);
  });
}
