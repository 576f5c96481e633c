import { and, asc, eq, isNull, sql } from 'drizzle-orm';
import { createHash, randomBytes } from 'node:crypto';
import { v7 as uuid } from 'uuid';
import type { Role } from '../contracts/statuses.ts';
import type { Database } from '../db/client.ts';
import { apiKeys } from '../db/schema.ts';

export interface NewApiKey {
  /** Who uses it: for people to tell keys apart. */
  name: string;
  role: Role;
}

/** A key as it may be listed: the key itself is not stored. */
export type ApiKey = Omit<typeof apiKeys.$inferSelect, 'secretHash'>;

/** A plain hash is enough: the key is 256 random bits. */
const hash = (key: string): string => createHash('sha256').update(key).digest('hex');

/** @returns the new key, which cannot be read again. */
export async function createApiKey(db: Database, { name, role }: NewApiKey): Promise<{ id: string; key: string }> {
  const id = uuid();
  const key = `hf_${randomBytes(32).toString('base64url')}`;
  await db.insert(apiKeys).values({ id, name, role, secretHash: hash(key) });
  return { id, key };
}

/** Makes sure that a key of the caller's choice is there, for a stack whose keys are set in advance. */
export async function ensureApiKey(db: Database, { name, role, key }: NewApiKey & { key: string }): Promise<void> {
  await db
    .insert(apiKeys)
    .values({ id: uuid(), name, role, secretHash: hash(key) })
    .onConflictDoUpdate({ target: apiKeys.secretHash, set: { name, role, revokedAt: null } });
}

/**
 * Takes a key out of use. The API may honour it for a few seconds more (see `api/key-ring.ts`).
 * @returns whether there was such a key in use
 */
export async function revokeApiKey(db: Database, id: string): Promise<boolean> {
  const revoked = await db
    .update(apiKeys)
    .set({ revokedAt: sql`now()` })
    .where(and(eq(apiKeys.id, id), isNull(apiKeys.revokedAt)))
    .returning({ id: apiKeys.id });
  return revoked.length > 0;
}

/** @returns all keys, the oldest first. */
export const listApiKeys = (db: Database): Promise<ApiKey[]> =>
  db
    .select({
      id: apiKeys.id,
      name: apiKeys.name,
      role: apiKeys.role,
      createdAt: apiKeys.createdAt,
      revokedAt: apiKeys.revokedAt,
    })
    .from(apiKeys)
    .orderBy(asc(apiKeys.id));

/** @returns what a key that is in use may do, or undefined. */
export async function findApiKey(db: Database, key: string): Promise<{ id: string; role: Role } | undefined> {
  const [found] = await db
    .select({ id: apiKeys.id, role: apiKeys.role })
    .from(apiKeys)
    .where(and(eq(apiKeys.secretHash, hash(key)), isNull(apiKeys.revokedAt)));
  return found;
}
