import { and, eq, isNull, sql } from 'drizzle-orm';
import type { Instruction } from '../contracts/caller.ts';
import { notFound } from '../contracts/request-error.ts';
import type { Database } from '../db/client.ts';
import { apiKeys } from '../db/schema.ts';
import { transaction } from '../db/transaction.ts';
import { insertApiKey, type NewApiKey } from '../records/api-keys.ts';
import { recordOperatorAction } from '../records/audit.ts';

/** Creates an API key. @returns the key, which cannot be read again */
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

/**
 * Revokes a key. The API may still accept it for a few seconds (see `api/key-ring.ts`).
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
