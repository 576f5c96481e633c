import { sql } from 'drizzle-orm';
import type { Database } from '../db/client.ts';

/**
 * @param times the oldest first
 * @returns how many commands waited to be delivered at each of the times. Delivered ones are kept for a week.
 */
export async function readBacklogAt(db: Database, times: Date[]): Promise<number[]> {
  const slots = times.map((time) => time.toISOString());
  const rows = await db.execute<{ waiting: number }>(sql`
    with
      slots as (select slot::timestamptz from json_array_elements_text(${JSON.stringify(slots)}::json) as slot),
      relevant as (
        select created_at, delivered_at from commands
        where state = 'pending' or (state = 'delivered' and delivered_at >= (select min(slot) from slots))
      ),
      changes as (
        select created_at as at, 1 as change from relevant
        union all select delivered_at, -1 from relevant where delivered_at is not null
        union all select slot, 0 from slots
      ),
      running as (select at, change, sum(change) over (order by at, change desc) as waiting from changes)
    select waiting::int from running where change = 0 order by at`);
  return rows.map(({ waiting }) => waiting);
}
