import { sql } from 'drizzle-orm';
import type { Database } from '../db/client.ts';

export const SERIES_SPANS = ['hour', 'day'] as const;
export type SeriesSpan = (typeof SERIES_SPANS)[number];

/** What happened from `at` until the next bucket. */
export interface Bucket {
  at: Date;
  /** orders started */
  starts: number;
  /** orders completed */
  completions: number;
  /** failures opened */
  failures: number;
}

/** Postgres intervals. A width divides its span. */
const WIDTHS: Record<SeriesSpan, { span: string; width: string }> = {
  hour: { span: '1 hour', width: '1 minute' },
  day: { span: '24 hours', width: '30 minutes' },
};

/** @returns the last hour by the minute, or the last day by the half hour; oldest first, the present bucket last */
export async function readSeries(db: Database, span: SeriesSpan): Promise<Bucket[]> {
  const { span: length, width } = WIDTHS[span];
  const bucketOf = (time: string) => sql`date_bin(${width}::interval, ${sql.raw(time)}, timestamptz 'epoch')`;
  const last = bucketOf('now()');
  // Repeated below instead of read from a subquery: the planner must see how few rows it selects.
  const first = sql`${last} - ${length}::interval + ${width}::interval`;
  const { rows } = await db.execute<{ at: number; starts: number; completions: number; failures: number }>(sql`
    with
      edge as (select ${last} as last, ${first} as first),
      moves as (
        select ${bucketOf('created_at')} as bucket,
          count(*) filter (where status = 'accepted') as starts,
          count(*) filter (where status = 'completed') as completions
        from order_events where created_at >= ${first} group by 1
      ),
      opened as (
        select ${bucketOf('first_seen_at')} as bucket, count(*) as failures
        from failures where first_seen_at >= ${first} group by 1
      )
    select extract(epoch from slot)::float8 * 1000 as at, coalesce(starts, 0)::int as starts,
      coalesce(completions, 0)::int as completions, coalesce(failures, 0)::int as failures
    from edge, generate_series(edge.first, edge.last, ${width}::interval) as slot
    left join moves on moves.bucket = slot left join opened on opened.bucket = slot
    order by slot`);
  return rows.map(({ at, starts, completions, failures }) => ({ at: new Date(at), starts, completions, failures }));
}
