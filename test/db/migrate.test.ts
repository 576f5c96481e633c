import postgres from 'postgres';
import { afterAll, describe, expect, it } from 'vitest';
import { migrate } from '../../src/db/migrate.ts';
import { createTestDatabase } from '../support/database.ts';

const { url, drop } = await createTestDatabase('template1');
afterAll(drop);

async function readSchema() {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    const tables = await sql<{ name: string }[]>`
      select table_name as name from information_schema.tables where table_schema = 'public' order by 1`;
    const applied = await sql<{ hash: string }[]>`select hash from drizzle.__drizzle_migrations`;
    return { tables: tables.map(({ name }) => name), applied: applied.map(({ hash }) => hash) };
  } finally {
    await sql.end();
  }
}

describe('migrate', () => {
  it('creates the schema once when four processes start at the same time on an empty database', async () => {
    await Promise.all(Array.from({ length: 4 }, () => migrate(url)));
    const { tables, applied } = await readSchema();
    expect(tables).toEqual(expect.arrayContaining(['commands', 'orders', 'payments', 'saga_steps']));
    expect(applied.length).toBeGreaterThan(0);
    expect(new Set(applied).size).toBe(applied.length);
  });

  it('changes nothing when it runs again', async () => {
    const before = await readSchema();
    await migrate(url);
    expect(await readSchema()).toEqual(before);
  });
});
