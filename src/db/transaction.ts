import { drizzle } from 'drizzle-orm/node-postgres';
import type { PgTransactionConfig } from 'drizzle-orm/pg-core';
import { isDatabaseUnavailable, isLostRace, isStaleStatement } from './availability.ts';
import type { Database, Transaction } from './client.ts';
import { sendingNotifications } from './notifications.ts';

/**
 * Runs `work` in one transaction, and commits it. The only way to begin one: drizzle's own gives connections back to the
 * pool in the middle of a transaction whose beginning or end was not answered (its issues 6114, 6241, 6023 and 6341).
 * @param work runs a second time if Postgres ended the transaction to resolve a deadlock or a serialization failure
 */
export async function transaction<Result>(
  db: Database,
  work: (tx: Transaction) => Promise<Result>,
  config?: PgTransactionConfig,
): Promise<Result> {
  return await sendingNotifications(db.$client, () => againIfRaceLost(() => attempt(db, work, config)));
}

/**
 * Runs one statement, which is a transaction by itself, and then sends its notifications like `transaction`.
 * @param run runs the statement; it runs a second time under the same conditions as above
 */
export const statement = <Result>(db: Database, run: () => Promise<Result>): Promise<Result> =>
  sendingNotifications(db.$client, () => againIfRaceLost(run));

/** Runs something again if Postgres ended it because of another transaction. */
async function againIfRaceLost<Result>(run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    if (!isLostRace(error)) throw error;
    return await run();
  }
}

async function attempt<Result>(
  db: Database,
  work: (tx: Transaction) => Promise<Result>,
  config: PgTransactionConfig | undefined,
): Promise<Result> {
  const connection = await db.$client.connect();
  let isUnusable = false;
  try {
    return await drizzle(connection).transaction(work, config);
  } catch (error) {
    isUnusable = isDatabaseUnavailable(error) || isStaleStatement(error);
    throw error;
  } finally {
    // A connection in doubt is closed: what is still on its way would otherwise become part of the next transaction.
    connection.release(isUnusable || connection.getTransactionStatus() !== 'I');
  }
}
