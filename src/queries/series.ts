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

/** A Postgres interval, and the ms of one bucket, which divide it. */
const SPANS: Record<SeriesSpan, { length: string; width: number }> = {
  hour: { length: '1 hour', width: 60_000 },
  day: { length: '24 hours', width: 30 * 60_000 },
};

/** @returns when the bucket that begins at a time ends */
export const endOf = (span: SeriesSpan, at: Date): Date => new Date(at.getTime() + SPANS[span].width);

/** @returns the last hour by the minute, or the last day by the half hour; oldest first, the present bucket last */
export async function readSeries(db: Database, span: SeriesSpan): Promise<Bucket[]> {
  const { length } = SPANS[span];
  const width = sql`${`${SPANS[span].width} ms`}::interval`;
  const bucketOf = (time: string) => sql`date_bin(${width}, ${sql.raw(time)}, timestamptz 'epoch')`;
  const last = bucketOf('now()');
  // Repeated below instead of read from a subquery: the planner must see how few rows it selects.
  const first = sql`${last} - ${length}::interval + ${width}`;
  const { rows } = await db.execute<{ at: number; starts: number; completions: number; failures: number }>(sql`
    with
      edge as (select ${last} as last, ${first} as first),
      moves as (
        select ${bucketOf('created_at')} as bucket,
          count(distinct order_id) filter (where status = 'accepted') as starts,
          count(distinct order_id) filter (where status = 'completed') as completions
        from order_events where created_at >= ${first} group by 1
      ),
      opened as (
        select ${bucketOf('first_seen_at')} as bucket, count(*) as failures
        from failures where first_seen_at >= ${first} group by 1
      )
    select extract(epoch from slot)::float8 * 1000 as at, coalesce(starts, 0)::int as starts,
      coalesce(completions, 0)::int as completions, coalesce(failures, 0)::int as failures
    from edge, generate_series(edge.first, edge.last, ${width}) as slot
    left join moves on moves.bucket = slot left join opened on opened.bucket = slot
    order by slot`);
  return rows.map(({ at, starts, completions, failures }) => ({ at: new Date(at), starts, completions, failures }));
}
