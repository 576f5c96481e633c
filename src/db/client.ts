import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import * as schema from './schema.ts';

export type Database = PostgresJsDatabase<typeof schema>;
export type Transaction = Parameters<Parameters<Database['transaction']>[0]>[0];

export interface DatabaseHandle {
  db: Database;
  /** The driver itself: for LISTEN, which needs a connection of its own. */
  sql: postgres.Sql;
  close: () => Promise<void>;
}

/**
 * Opens a pool. Connections are made when first used, so this never fails by itself.
 * @param url a `postgres://` URL
 * @param options `max` connections, and the `name` to show in `pg_stat_activity`
 */
export function connectDatabase(url: string, options: { max: number; name: string }): DatabaseHandle {
  const sql = postgres(url, {
    max: options.max,
    connect_timeout: 5,
    connection: { application_name: options.name },
    onnotice: () => {},
  });
  return { db: drizzle(sql, { schema }), sql, close: () => sql.end({ timeout: 5 }) };
}
