import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import { Pool } from 'pg';
import postgres from 'postgres';
import type { DatabaseLimits } from './limits.ts';
import { notificationsSent } from './notifications.ts';
import { prepareStatements } from './prepared-statements.ts';

type DrizzleDatabase = NodePgDatabase;

/** Without drizzle's own `transaction`: see `transaction.ts`. */
export type Database = Omit<DrizzleDatabase, 'transaction'> & { $client: Pool };
export type Transaction = Parameters<Parameters<DrizzleDatabase['transaction']>[0]>[0];

export interface DatabaseHandle {
  db: Database;
  /** For LISTEN only. It listens again by itself after a lost connection. */
  listener: postgres.Sql;
  close: () => Promise<void>;
}

/**
 * Opens a pool. It connects when first used, so this never fails by itself.
 *
 * Queries go through node-postgres. postgres.js 3.4, which listens, must not run transactions here: when it loses a
 * connection in the middle of one, it ends the process or runs the rest on another connection (its issues 1208 and 1216).
 * @param url a `postgres://` URL
 * @param options `max` connections, the `name` to show in `pg_stat_activity`, and the `limits` of each connection (see
 * `limits.ts`; by default there are none, for tests), and whether to `prepare` every statement (see `prepared-statements.ts`)
 */
export function connectDatabase(
  url: string,
  options: { max: number; name: string; limits?: DatabaseLimits; prepare?: boolean },
): DatabaseHandle {
  const { max, name, limits, prepare = false } = options;
  const settings = limits && {
    statement_timeout: limits.statement,
    lock_timeout: limits.lock,
    idle_in_transaction_session_timeout: limits.idleInTransaction,
  };
  const pool = new Pool({
    connectionString: url,
    max,
    application_name: name,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    // oxlint-disable-next-line typescript/no-misused-promises -- the pool waits for it.
    onConnect: (connection) => (prepare ? prepareStatements(connection) : undefined),
    ...settings,
    // The server's own limit applies first. Ours is for a server that does not answer at all.
    ...(limits && { query_timeout: limits.statement + 1_000 }),
  });
  // An idle connection was lost. Unhandled, this event would end the process. The pool has removed the connection.
  pool.on('error', () => {});
  // A connection was lost while in use. Its query or its transaction fails, and closes it.
  pool.on('connect', (connection) => connection.on('error', () => {}));
  const listener = postgres(url, {
    max: 1,
    connect_timeout: 5,
    // Short, so that notifications arrive soon after Postgres is back.
    backoff: () => 0.2 + Math.random() * 0.3,
    connection: { application_name: `${name}-listener`, ...settings },
    onnotice: () => {},
  });
  return {
    db: drizzle(pool),
    listener,
    close: async () => {
      await notificationsSent(pool);
      await Promise.all([pool.end(), listener.end({ timeout: 5 })]);
    },
  };
}
