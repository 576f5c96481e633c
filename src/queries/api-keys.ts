import { and, asc, desc, eq, getTableColumns, gt, inArray, isNull, or, sql } from 'drizzle-orm';
import type { Caller } from '../contracts/caller.ts';
import type { Database } from '../db/client.ts';
import { apiKeys, apiKeySecrets } from '../db/schema.ts';

/** A secret as it may be listed. */
export type ApiKeySecret = Omit<typeof apiKeySecrets.$inferSelect, 'hash' | 'keyId'>;

/** A key with its secrets, newest first. The secrets themselves are not stored. */
export type ApiKey = typeof apiKeys.$inferSelect & { secrets: ApiKeySecret[] };

/** @returns all keys, oldest first */
export async function listApiKeys(db: Database): Promise<ApiKey[]> {
  const { hash: _hash, ...columns } = getTableColumns(apiKeySecrets);
  const keys = await db.select().from(apiKeys).orderBy(asc(apiKeys.id));
  const secrets = await db.select(columns).from(apiKeySecrets).orderBy(desc(apiKeySecrets.createdAt));
  return keys.map((key) => ({
    ...key,
    secrets: secrets.filter(({ keyId }) => keyId === key.id).map(({ keyId: _keyId, ...secret }) => secret),
  }));
}

/** The condition for a secret that is accepted. Needs its key in the query. */
export const isInUse = and(
  isNull(apiKeys.revokedAt),
  or(isNull(apiKeySecrets.expiresAt), gt(apiKeySecrets.expiresAt, sql`now()`)),
);

/**
 * @param hashes of secrets
 * @returns who may call with each; none for one that is unknown or has expired, or whose key is revoked
 */
export async function findCallers(db: Database, hashes: string[]): Promise<ReadonlyMap<string, Caller>> {
  const found = await db
    .select({ hash: apiKeySecrets.hash, keyId: apiKeys.id, role: apiKeys.role })
    .from(apiKeySecrets)
    .innerJoin(apiKeys, eq(apiKeys.id, apiKeySecrets.keyId))
    .where(and(inArray(apiKeySecrets.hash, hashes), isInUse));
  return new Map(found.map(({ hash, ...caller }) => [hash, caller]));
}
