import { inArray, sql } from 'drizzle-orm';
import type { Database } from '../db/client.ts';
import { commands } from '../db/schema.ts';

/** Commands that are not delivered yet. */
export interface Backlog {
  /** How many have been due for a minute: nobody delivers them, or Temporal does not take them. */
  overdue: number;
  /** Since when the oldest of these has been due. */
  overdueSince: Date | null;
  /** How many wait for their next attempt, because their run has ended or is still ending. */
  backingOff: number;
  setAside: number;
}

const isOverdue = sql`state = 'pending' and ${commands.nextAttemptAt} < now() - interval '1 minute'`;

/** @returns what waits to be delivered, and why */
export async function readBacklog(db: Database): Promise<Backlog> {
  const [backlog] = await db
    .select({
      overdue: sql<number>`count(*) filter (where ${isOverdue})::int`,
      overdueSince: sql<string | null>`min(${commands.nextAttemptAt}) filter (where ${isOverdue})`,
      backingOff: sql<number>`count(*) filter (where state = 'pending' and last_error is not null and ${commands.nextAttemptAt} > now())::int`,
      setAside: sql<number>`count(*) filter (where state = 'set_aside')::int`,
    })
    .from(commands)
    .where(inArray(commands.state, ['pending', 'set_aside']));
  const { overdue = 0, overdueSince = null, backingOff = 0, setAside = 0 } = backlog ?? {};
  return { overdue, overdueSince: overdueSince === null ? null : new Date(overdueSince), backingOff, setAside };
}

/**
 * @param times oldest first
 * @returns the largest number of waiting commands between each time and the next. Delivered commands are kept for a week.
 */
export async function readBacklogPeaks(db: Database, times: Date[]): Promise<number[]> {
  const slots = times.map((time) => time.toISOString());
  // A value, not a subquery: the planner must see how few rows it selects.
  const [since = new Date().toISOString()] = slots;
  const { rows } = await db.execute<{ waiting: number }>(sql`
    with
      slots as (select slot::timestamptz from json_array_elements_text(${JSON.stringify(slots)}::json) as slot),
      relevant as (
        select created_at, delivered_at from commands
        where state = 'pending' or (state = 'delivered' and delivered_at >= ${since}::timestamptz)
      ),
      changes as (
        select created_at as at, 1 as change from relevant
        union all select delivered_at, -1 from relevant where delivered_at is not null
        union all select slot, 0 from slots
      ),
      running as (
        select sum(change) over moments as waiting, count(*) filter (where change = 0) over moments as bucket
        from changes window moments as (order by at, change desc)
      )
    select max(waiting)::int as waiting from running where bucket > 0 group by bucket order by bucket`);
  return rows.map(({ waiting }) => waiting);
}
