import { v7 as uuid } from 'uuid';
import type { Role } from '../contracts/statuses.ts';
import type { Database } from '../db/client.ts';
import { apiKeys } from '../db/schema.ts';
import { hashToken, newToken } from './tokens.ts';

export interface NewApiKey {
  /** Who uses it: for people to tell keys apart. */
  name: string;
  role: Role;
}

/** Writes a new API key. @returns the key, which cannot be read again */
export async function insertApiKey(
  db: Pick<Database, 'insert'>,
  { name, role }: NewApiKey,
): Promise<{ id: string; key: string }> {
  const id = uuid();
  const key = `hf_${newToken().token}`;
  await db.insert(apiKeys).values({ id, name, role, secretHash: hashToken(key) });
  return { id, key };
}

/** Makes sure that a key of the caller's choice exists, for a stack whose keys are set in advance. */
export async function ensureApiKey(db: Database, { name, role, key }: NewApiKey & { key: string }): Promise<void> {
  await db
    .insert(apiKeys)
    .values({ id: uuid(), name, role, secretHash: hashToken(key) })
    .onConflictDoUpdate({ target: apiKeys.secretHash, set: { name, role, revokedAt: null } });
}
