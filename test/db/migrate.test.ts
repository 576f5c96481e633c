import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { migrate } from '../../src/db/migrate.ts';

const name = 'test_migrations';
let url: string;

const asAdmin = async (statement: (sql: postgres.Sql) => Promise<unknown>) => {
  const sql = postgres(inject('postgresUrl'), { max: 1, onnotice: () => {} });
  try {
    await statement(sql);
  } finally {
    await sql.end();
  }
};

beforeAll(async () => {
  const target = new URL(inject('postgresUrl'));
  target.pathname = name;
  url = target.href;
  await asAdmin((sql) => sql`create database ${sql(name)}`);
});
afterAll(() => asAdmin((sql) => sql`drop database ${sql(name)} with (force)`));

async function schema() {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    const tables = await sql<{ name: string }[]>`
      select table_name as name from information_schema.tables where table_schema = 'public' order by 1`;
    const applied = await sql<{ hash: string }[]>`select hash from drizzle.__drizzle_migrations`;
    return { tables: tables.map((row) => row.name), applied: applied.map(({ hash }) => hash) };
  } finally {
    await sql.end();
  }
}

describe('migrating', () => {
  it('makes the schema once, when four begin at once on an empty database', async () => {
    await Promise.all(Array.from({ length: 4 }, () => migrate(url)));
    const { tables, applied } = await schema();
    expect(tables).toEqual(expect.arrayContaining(['commands', 'orders', 'payments', 'saga_steps']));
    expect(applied.length).toBeGreaterThan(0);
    expect(new Set(applied).size).toBe(applied.length);
  });

  it('finds nothing to do afterwards', async () => {
    const before = await schema();
    await migrate(url);
    expect(await schema()).toEqual(before);
  });
});
