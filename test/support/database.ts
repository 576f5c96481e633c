import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { inject } from 'vitest';
import { templateDatabase } from './template-database.ts';

/** A database of one test's own. */
export interface TestDatabase {
  url: string;
  /** Removes it, ending the sessions that are still open. */
  drop: () => Promise<void>;
}

/** Returns a new database with the whole schema and no rows, on the PostgreSQL server of this run. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const url = new URL(inject('postgresUrl'));
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await asAdmin((sql) => sql`create database ${sql(name)} template ${sql(templateDatabase)}`);
  url.pathname = name;
  return { url: url.href, drop: () => asAdmin((sql) => sql`drop database if exists ${sql(name)} with (force)`) };
}

async function asAdmin(statement: (sql: postgres.Sql) => Promise<unknown>): Promise<void> {
  const sql = postgres(inject('postgresUrl'), { max: 1, onnotice: () => {} });
  try {
    await statement(sql);
  } finally {
    await sql.end();
  }
}
