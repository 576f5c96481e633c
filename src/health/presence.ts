import { eq, sql } from 'drizzle-orm';
import type { Database } from '../db/client.ts';
import { workers } from '../db/schema.ts';
import type { Logger } from '../log.ts';
import { repeat, type Repeated } from '../repeat.ts';

/** Who a worker process is. `identity` is the one that Temporal knows it by. */
export type WorkerProcess = Pick<typeof workers.$inferInsert, 'identity' | 'host' | 'version' | 'queues'>;

/** ms between two signs of life: two may be lost before the worker counts as gone (`SILENT_AFTER`) */
const EVERY = 20_000;

/** Records that a worker process is alive, and when it stops that it is no more. */
export function announceWorker(
  { db, log, every = EVERY }: { db: Database; log: Logger; every?: number },
  worker: WorkerProcess,
): Repeated {
  const started = performance.now();
  const beats = repeat({ every, log, failed: 'health not recorded' }, async () => {
    // By the clock of Postgres, which others compare them with.
    const startedAt = sql`now() - ${performance.now() - started} * interval '1 ms'`;
    // Its predecessor in the same container may have had the same identity.
    const row = { ...worker, startedAt, lastSeenAt: sql`now()` };
    await db.insert(workers).values(row).onConflictDoUpdate({ target: workers.identity, set: row });
  });
  return {
    async stop() {
      await beats.stop();
      const { identity } = worker;
      await db
        .delete(workers)
        .where(eq(workers.identity, identity))
        .catch(() => log.warn({ identity }, 'the worker is listed until it counts as gone'));
    },
  };
}
