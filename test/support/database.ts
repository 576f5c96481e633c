import { randomUUID } from 'node:crypto';
import { afterAll, inject } from 'vitest';
import { connectDatabase, type Database } from '../../src/db/client.ts';
import { createDatabase, dropDatabase, TEMPLATE } from './postgres.ts';

/** A database that belongs to one test file. */
export interface TestDatabase {
  url: string;
  /** Removes it and ends the sessions that are still open. */
  drop: () => Promise<void>;
}

/**
 * Creates a database on the PostgreSQL server of this test run.
 * @param template by default it has the schema and the catalogue
 */
export async function createTestDatabase(template = TEMPLATE): Promise<TestDatabase> {
  const server = inject('postgresUrl');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  return { url: await createDatabase(server, name, template), drop: () => dropDatabase(server, name) };
}

/** Creates a database and connects to it. Closing removes it. */
export async function connectTestDatabase() {
  const { url, drop } = await createTestDatabase();
  const handle = connectDatabase(url, { max: 20, name: 'test' });
  return {
    ...handle,
    url,
    async close(): Promise<void> {
      await handle.close();
      await drop();
    },
  };
}

/** @returns a database for the tests of one file, removed after them */
export async function useDatabase(): Promise<Database> {
  const database = await connectTestDatabase();
  afterAll(() => database.close());
  return database.db;
}
