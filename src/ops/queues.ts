import type { Client } from '@temporalio/client';
import { sql } from 'drizzle-orm';
import { QUEUE_NAMES, TASK_QUEUES, type QueueName } from '../contracts/names.ts';
import type { OrderStatus } from '../contracts/statuses.ts';
import type { Database } from '../db/client.ts';

/** One kind of task of a queue, as Temporal estimates it. */
export interface TaskBacklog {
  pollers: number;
  backlog: number;
  /** ms that the oldest waits */
  backlogAge: number;
  addedPerSecond: number;
  dispatchedPerSecond: number;
}

export interface QueueState {
  queue: QueueName;
  taskQueue: string;
  workflows: TaskBacklog;
  activities: TaskBacklog;
  /** What is wrong, in words, e.g. `no workers polling`. */
  warning: string | undefined;
}

/** What Holdfast itself knows exactly. Rates are per minute, over the last ten minutes. */
export interface ShopState {
  commandsWaiting: number;
  /** ms that the oldest command waits */
  oldestCommandAge: number;
  ordersByStatus: { status: OrderStatus; count: number }[];
  openFailures: number;
  startsPerMinute: number;
  completionsPerMinute: number;
  /** share of orders ended in the last ten minutes that failed, 0 to 1 */
  failureRate: number;
}

const WORKFLOW = 1;
const ACTIVITY = 2;

/** @returns the state of every task queue. The email queue has no workflows, so nobody need poll for them. */
export async function readQueues(client: Client): Promise<QueueState[]> {
  return await Promise.all(
    QUEUE_NAMES.map(async (queue) => {
      const [workflows, activities] = await Promise.all([
        readBacklog(client, TASK_QUEUES[queue], WORKFLOW),
        readBacklog(client, TASK_QUEUES[queue], ACTIVITY),
      ]);
      const unserved = activities.pollers === 0 || (queue !== 'email' && workflows.pollers === 0);
      const warning = unserved ? 'no workers polling' : undefined;
      return { queue, taskQueue: TASK_QUEUES[queue], workflows, activities, warning };
    }),
  );
}

async function readBacklog(client: Client, name: string, taskQueueType: number): Promise<TaskBacklog> {
  const { pollers, stats } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name },
    taskQueueType,
    reportStats: true,
    reportPollers: true,
  });
  const age = stats?.approximateBacklogAge;
  return {
    pollers: pollers?.length ?? 0,
    backlog: Number(stats?.approximateBacklogCount ?? 0),
    backlogAge: Number(age?.seconds ?? 0) * 1000 + Math.round((age?.nanos ?? 0) / 1e6),
    addedPerSecond: stats?.tasksAddRate ?? 0,
    dispatchedPerSecond: stats?.tasksDispatchRate ?? 0,
  };
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
