import { heartbeat } from '@temporalio/activity';
import { and, eq, getTableName, inArray, lt, sql } from 'drizzle-orm';
import type { AnyPgColumn } from 'drizzle-orm/pg-core';
import type { Database, Transaction } from '../db/client.ts';
import { ago, ALERTS_GIVEN_UP_AFTER, ERASED_AFTER, RETENTION } from '../db/retention.ts';
import { alertMessages, orders, signups } from '../db/schema.ts';
import { transaction } from '../db/transaction.ts';
import type { Logger } from '../log.ts';
import { eraseOrders, eraseRecipients, eraseSignups } from '../records/erasure.ts';

export type PruneActivities = ReturnType<typeof createPruneActivities>;

/** Rows deleted, and rows changed, together: few enough that no lock is held for long. */
const DELETED_TOGETHER = 10_000;
const ERASED_TOGETHER = 200;

const isOlder = (column: AnyPgColumn, age: string) => lt(column, ago(age));

/** Erases so many rows at most. @returns how many */
type Erase = (tx: Transaction, limit: number) => Promise<number>;

const ERASURES: Record<keyof typeof ERASED_AFTER | 'recipients', Erase> = {
  async orders(tx, limit) {
    const which = and(isOlder(orders.createdAt, ERASED_AFTER.orders), inArray(orders.status, ['failed', 'cancelled']));
    return (await eraseOrders(tx, which, limit)).orders;
  },
  async invoicedOrders(tx, limit) {
    const which = and(isOlder(orders.createdAt, ERASED_AFTER.invoicedOrders), eq(orders.status, 'completed'));
    return (await eraseOrders(tx, which, limit)).orders;
  },
  recipients: (tx, limit) => eraseRecipients(tx, isOlder(orders.createdAt, ERASED_AFTER.invoicedOrders), limit),
  signups: (tx, limit) =>
    eraseSignups(tx, and(isOlder(signups.createdAt, ERASED_AFTER.signups), inArray(signups.status, ['expired', 'ended'])), limit),
};

/** @param batch does a part. @returns how much all parts did */
async function inBatches(size: number, batch: () => Promise<number>): Promise<number> {
  let total = 0;
  for (let done = size; done === size; total += done) {
    done = await batch();
    heartbeat();
  }
  return total;
}

/** Enforces how long data is kept (`db/retention.ts`), in batches. */
export function createPruneActivities({ db, log }: { db: Database; log: Logger }) {
  return {
    async pruneFinishedWork(): Promise<void> {
      await db
        .update(alertMessages)
        .set({ state: 'given_up', settledAt: sql`now()` })
        .where(and(eq(alertMessages.state, 'pending'), isOlder(alertMessages.createdAt, ALERTS_GIVEN_UP_AFTER)));
      for (const retention of Object.values(RETENTION)) {
        if ('keep' in retention) continue;
        const { deleteFrom: table, where } = retention;
        const deleted = await inBatches(DELETED_TOGETHER, async () => {
          const which = sql`select ctid from ${table} where ${where} limit ${DELETED_TOGETHER}`;
          return (await db.execute(sql`delete from ${table} where ctid = any(array(${which}))`)).rowCount ?? 0;
        });
        log.info({ table: getTableName(table), deleted }, 'pruned');
      }
      for (const [what, erase] of Object.entries(ERASURES)) {
        const erased = await inBatches(ERASED_TOGETHER, () => transaction(db, (tx) => erase(tx, ERASED_TOGETHER)));
        log.info({ what, erased }, 'personal data erased');
      }
    },
  };
}
