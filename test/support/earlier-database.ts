import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate as applyMigrations } from 'drizzle-orm/node-postgres/migrator';
import { afterAll, inject } from 'vitest';
import { z } from 'zod';
import { connectDatabase, type Database } from '../../src/db/client.ts';
import { createTemporaryFolder } from './temporary-folder.ts';

const MIGRATIONS = fileURLToPath(new URL('../../src/db/migrations', import.meta.url));
const journalSchema = z.looseObject({ entries: z.array(z.unknown()) });

/**
 * @param earlier how many migrations it has had
 * @returns a database as an earlier version left it, without rows, dropped after the tests of one file
 */
export async function useEarlierDatabase({ migrations }: { migrations: number }): Promise<{ db: Database; url: string }> {
  const name = `test_earlier_${crypto.randomUUID().replaceAll('-', '')}`;
  const admin = connectDatabase(inject('postgresUrl'), { max: 1, name: 'test' });
  await admin.db.execute(sql.raw(`create database ${name}`));
  const url = new URL(inject('postgresUrl'));
  url.pathname = name;
  const { db, close } = connectDatabase(url.href, { max: 2, name: 'test' });
  afterAll(async () => {
    await close();
    await admin.db.execute(sql.raw(`drop database ${name} with (force)`));
    await admin.close();
  });

  const folder = await createTemporaryFolder();
  await cp(MIGRATIONS, folder.path, { recursive: true });
  const journal = join(folder.path, 'meta/_journal.json');
  const { entries, ...rest } = journalSchema.parse(JSON.parse(await readFile(journal, 'utf8')));
  await writeFile(journal, JSON.stringify({ ...rest, entries: entries.slice(0, migrations) }));
  await applyMigrations(drizzle(db.$client), { migrationsFolder: folder.path });
  await folder.remove();
  return { db, url: url.href };
}
