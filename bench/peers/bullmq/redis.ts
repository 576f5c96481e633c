import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** @returns the path of `redis-server`, or undefined if it is not installed */
export async function findRedis(): Promise<string | undefined> {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/local/bin'];
  for (const program of folders.map((folder) => join(folder, 'redis-server'))) {
    const isThere = await access(program, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return program;
  }
  return undefined;
}
