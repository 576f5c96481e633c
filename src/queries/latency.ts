import { sql } from 'drizzle-orm';
import type { Database } from '../db/client.ts';

const MILESTONES = ['charged', 'shipped'] as const;
type Milestone = (typeof MILESTONES)[number];

/** How long orders took from accepted to a milestone. */
export interface Latency {
  /** in ms */
  p50: number;
  p95: number;
  /** How many orders were measured. */
  orders: number;
}

/** Null for a milestone that no order has reached lately. */
export type Latencies = Record<Milestone, Latency | null>;

/** Changes of status that are looked at: those of some six hundred orders, so that a read takes milliseconds however many there are. */
const MOST_CHANGES = 5_000;

/** @returns how long orders took that reached a milestone lately: within the last day, and among the last 5,000 changes of status */
export async function readLatencies(db: Database): Promise<Latencies> {
  // An order can reach a status twice: after a retry, or after a restart. The first time in each generation counts.
  const { rows } = await db.execute<{ status: Milestone; orders: number; p50: number; p95: number }>(sql`
    with
      recent as (
        select id, order_id, generation, status, created_at from order_events order by id desc limit ${MOST_CHANGES}
      ),
      spans as (
        select recent.status, extract(epoch from recent.created_at - story.accepted) * 1000 as ms
        from recent, lateral (
          select min(created_at) filter (where events.status = 'accepted') as accepted,
            min(events.id) filter (where events.status = recent.status) as reached
          from order_events as events
          where events.order_id = recent.order_id and events.generation = recent.generation
        ) as story
        where recent.status in ${MILESTONES} and recent.created_at > now() - interval '1 day'
          and story.reached = recent.id and story.accepted is not null
      )
    select status, count(*)::int as orders,
      percentile_cont(0.5) within group (order by ms)::float8 as p50,
      percentile_cont(0.95) within group (order by ms)::float8 as p95
    from spans group by status`);
  const of = (milestone: Milestone): Latency | null => {
    const row = rows.find(({ status }) => status === milestone);
    return row ? { p50: Math.round(row.p50), p95: Math.round(row.p95), orders: row.orders } : null;
  };
  return { charged: of('charged'), shipped: of('shipped') };
}
