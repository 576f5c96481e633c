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
 * @param options `max` connections, the `name` to show in `pg_stat_activity`, and after how many ms the server gives up
 * a statement (never, unless given)
 */
export function connectDatabase(
  url: string,
  options: { max: number; name: string; statementTimeout?: number },
): DatabaseHandle {
  const sql = postgres(url, {
    max: options.max,
    connect_timeout: 5,
    // Short, so that a query is refused soon while Postgres is away and served soon once it is back.
    backoff: () => 0.2 + Math.random() * 0.3,
    connection: { application_name: options.name, statement_timeout: options.statementTimeout ?? 0 },
    onnotice: () => {},
  });
  return { db: drizzle(sql, { schema }), sql, close: () => sql.end({ timeout: 5 }) };
}
