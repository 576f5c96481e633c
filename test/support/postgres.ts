import postgres from 'postgres';

/** The migrated database with the catalogue that the tests' own databases are copied from. */
export const TEMPLATE = 'template_holdfast';

/**
 * Creates a database, empty unless `template` names the one to copy.
 * @param serverUrl of the PostgreSQL server, as its superuser
 * @returns the URL of the database
 */
export async function createDatabase(serverUrl: string, name: string, template = 'template1'): Promise<string> {
  await execute(serverUrl, (sql) => sql`create database ${sql(name)} template ${sql(template)}`);
  const url = new URL(serverUrl);
  url.pathname = name;
  return url.href;
}

/** Removes a database and ends the sessions that are still open. */
export const dropDatabase = (serverUrl: string, name: string): Promise<void> =>
  execute(serverUrl, (sql) => sql`drop database if exists ${sql(name)} with (force)`);

async function execute(serverUrl: string, statement: (sql: postgres.Sql) => Promise<unknown>): Promise<void> {
  const sql = postgres(serverUrl, { max: 1, onnotice: () => {} });
  try {
    await statement(sql);
  } finally {
    await sql.end();
  }
}
