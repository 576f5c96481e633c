import { sql } from 'drizzle-orm';
import type { OrderStatus } from '../contracts/statuses.ts';
import type { Database } from '../db/client.ts';

/** Exact counts from Postgres. Rates are per minute, over the last ten minutes. */
export interface ShopState {
  commandsWaiting: number;
  /** ms that the oldest command has been waiting */
  oldestCommandAge: number;
  ordersByStatus: { status: OrderStatus; count: number }[];
  openFailures: number;
  startsPerMinute: number;
  completionsPerMinute: number;
  /** share of the orders finished in the last ten minutes that failed, 0 to 1 */
  failureRate: number;
}

/** @returns the exact counts, read in one statement */
export async function readShop(db: Database): Promise<ShopState> {
  const {
    rows: [row],
  } = await db.execute<{
    waiting: number;
    oldest: number;
    statuses: ShopState['ordersByStatus'] | null;
    failures: number;
    started: number;
    completed: number;
    failed: number;
    ended: number;
  }>(sql`select
    (select count(*)::int from commands where state = 'pending') as waiting,
    (select coalesce(extract(epoch from now() - min(created_at)) * 1000, 0)::float8 from commands where state = 'pending') as oldest,
    (select json_agg(json_build_object('status', status, 'count', count)) from (select status, count(*)::int as count from orders group by status) as by_status) as statuses,
    (select count(*)::int from failures where status = 'open') as failures,
    (select count(*)::int from order_events where status = 'accepted' and created_at > now() - interval '10 minutes') as started,
    (select count(*)::int from order_events where status = 'completed' and created_at > now() - interval '10 minutes') as completed,
    (select count(*)::int from order_events where status = 'failed' and created_at > now() - interval '10 minutes') as failed,
    (select count(*)::int from order_events where status in ('completed', 'failed', 'cancelled') and created_at > now() - interval '10 minutes') as ended`);
  return {
    commandsWaiting: row?.waiting ?? 0,
    oldestCommandAge: Math.round(row?.oldest ?? 0),
    ordersByStatus: row?.statuses ?? [],
    openFailures: row?.failures ?? 0,
    startsPerMinute: (row?.started ?? 0) / 10,
    completionsPerMinute: (row?.completed ?? 0) / 10,
    failureRate: row && row.ended > 0 ? row.failed / row.ended : 0,
  };
}
