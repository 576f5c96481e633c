import { heartbeat } from '@temporalio/activity';
import { sql, type SQL } from 'drizzle-orm';
import type { Database } from '../db/client.ts';
import type { Logger } from '../log.ts';

export type PruneActivities = ReturnType<typeof createPruneActivities>;

/** How long finished rows are kept. Closed workflows are kept by Temporal, for the retention period of the namespace. */
const POLICIES: { what: string; table: SQL; where: SQL }[] = [
  {
    what: 'delivered commands, 7 days',
    table: sql`commands`,
    where: sql`state in ('delivered', 'discarded') and delivered_at < now() - interval '7 days'`,
  },
  {
    what: 'idempotency keys, 30 days',
    table: sql`idempotency_keys`,
    where: sql`created_at < now() - interval '30 days'`,
  },
  {
    what: 'webhook events, 30 days: providers stop resending long before',
    table: sql`webhook_events`,
    where: sql`received_at < now() - interval '30 days'`,
  },
  {
    what: 'verification tokens, 30 days',
    table: sql`verification_tokens`,
    where: sql`created_at < now() - interval '30 days'`,
  },
];

const BATCH = 10_000;

/** Deletes finished rows past their retention time, in batches, so that no lock is held for long. */
export function createPruneActivities({ db, log }: { db: Database; log: Logger }) {
  return {
    async pruneFinishedWork(): Promise<void> {
      for (const { what, table, where } of POLICIES) {
        let deleted = 0;
        for (let batch = BATCH; batch === BATCH; deleted += batch) {
          const result = await db.execute(
            sql`delete from ${table} where ctid = any(array(select ctid from ${table} where ${where} limit ${BATCH}))`,
          );
          batch = result.rowCount ?? 0;
          heartbeat();
        }
        log.info({ what, deleted }, 'pruned');
      }
    },
  };
}
