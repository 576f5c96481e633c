import type { Caller } from '../../src/contracts/caller.ts';
import type { Role } from '../../src/contracts/statuses.ts';
import type { Database } from '../../src/db/client.ts';
import { insertApiKey } from '../../src/records/api-keys.ts';

/** @returns a caller with an API key of this role */
export async function createCaller(db: Database, role: Role): Promise<Caller> {
  const { id } = await insertApiKey(db, { name: `test ${role}`, role });
  return { keyId: id, role };
}
