import { and, asc, eq, getTableColumns, isNull } from 'drizzle-orm';
import type { Caller } from '../contracts/caller.ts';
import type { Database } from '../db/client.ts';
import { apiKeys } from '../db/schema.ts';
import { hashToken } from '../records/tokens.ts';

/** A key as it may be listed: the key itself is not stored. */
export type ApiKey = Omit<typeof apiKeys.$inferSelect, 'secretHash'>;

/** @returns all keys, oldest first */
export async function listApiKeys(db: Database): Promise<ApiKey[]> {
  const { secretHash: _secretHash, ...columns } = getTableColumns(apiKeys);
  return await db.select(columns).from(apiKeys).orderBy(asc(apiKeys.id));
}

/** @returns what a key may do, or undefined when it is unknown or revoked */
export async function findApiKey(db: Database, key: string): Promise<Caller | undefined> {
  const [found] = await db
    .select({ keyId: apiKeys.id, role: apiKeys.role })
    .from(apiKeys)
    .where(and(eq(apiKeys.secretHash, hashToken(key)), isNull(apiKeys.revokedAt)));
  return found;
}
