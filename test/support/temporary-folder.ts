import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder that belongs to one test or one service. */
export interface TemporaryFolder {
  path: string;
  remove: () => Promise<void>;
}

/** Creates an empty folder that every user can read: PostgreSQL may run as another user. */
export async function createTemporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-test-'));
  await chmod(path, 0o755);
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
