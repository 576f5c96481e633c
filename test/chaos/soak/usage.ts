import { readdir, readFile } from 'node:fs/promises';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Database } from '../../../src/db/client.ts';

/** What must not grow while the load stays the same. */
export const MEASURES = ['memory', 'handles', 'connections', 'idleInTransaction', 'locks'] as const;
export type Measure = (typeof MEASURES)[number];

/** What one process uses at one moment. `memory` is resident, in MB; the last three are those of its database sessions. */
export type Usage = Record<Measure, number>;

const sessionRow = z.object({
  connections: z.coerce.number(),
  idleInTransaction: z.coerce.number(),
  locks: z.coerce.number(),
});

/** @param name the prefix of its `application_name` in Postgres */
export async function readUsage(db: Database, pid: number, name: string): Promise<Usage> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kilobytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
  const { rows } = await db.execute(sql`
    select count(distinct activity.pid) as connections,
      count(distinct activity.pid) filter (where state = 'idle in transaction' and state_change < now() - interval '5 s')
        as "idleInTransaction",
      count(lock.pid) filter (where query_start < now() - interval '5 s') as locks
    from pg_stat_activity as activity left join pg_locks as lock on lock.pid = activity.pid
    where starts_with(application_name, ${name})`);
  return {
    memory: Math.round(kilobytes / 1_024),
    handles: (await readdir(`/proc/${pid}/fd`)).length,
    ...sessionRow.parse(rows[0]),
  };
}

/** @returns the middle one of some numbers */
export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}
