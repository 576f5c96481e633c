import { sql } from 'drizzle-orm';
import type { Database } from '../db/client.ts';

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
