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
/** Adds a key and an order of it to a database of an earlier version. */
export async function insertEarlierOrder(db: Database, order: { id: string; key: string; generation: number; status: string }): Promise<void> {
  const { id, key, generation, status } = order;
  await db.execute(sql`insert into api_keys (id, name, role, secret_hash) values (${key}, 'test', 'customer', 'hash')`);
  await db.execute(sql`insert into orders (id, owner, generation, status, amount, currency, payment_method, customer_email, customer_name, line1, city, postal_code, country)
    values (${id}, ${key}, ${generation}, ${status}, 100, 'EUR', 'pm', 'a@example.com', 'A', 'l', 'c', 'p', 'GB')`);
}

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
