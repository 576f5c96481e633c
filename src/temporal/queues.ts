import type { Client } from '@temporalio/client';
import { tsToMs } from '@temporalio/common/lib/time.js';
import { SILENT_AFTER } from '../contracts/health.ts';
import { QUEUE_NAMES, TASK_QUEUES, type QueueName } from '../contracts/names.ts';

/** One kind of task of a queue, as Temporal estimates it. */
export interface TaskBacklog {
  /** How many have been seen lately: Temporal goes on listing those of a dead worker for minutes. */
  pollers: number;
  backlog: number;
  /** ms that the oldest has been waiting */
  backlogAge: number;
  addedPerSecond: number;
  dispatchedPerSecond: number;
}

export interface QueueState {
  queue: QueueName;
  taskQueue: string;
  workflows: TaskBacklog;
  activities: TaskBacklog;
  /** The identities of the workers that poll for every kind of task of the queue. */
  polledBy: string[];
  /** What is wrong, e.g. `no workers polling`. */
  warning: string | undefined;
}

const WORKFLOW = 1;
const ACTIVITY = 2;

/**
 * @param now the time at which the queues are looked at, in ms
 * @returns the state of every task queue. The email queue has no workflows, so it needs no workflow pollers
 */
export async function readQueues(client: Client, now = Date.now()): Promise<QueueState[]> {
  return await Promise.all(
    QUEUE_NAMES.map(async (queue) => {
      const [workflows, activities] = await Promise.all([
        readBacklog(client, TASK_QUEUES[queue], WORKFLOW, now),
        readBacklog(client, TASK_QUEUES[queue], ACTIVITY, now),
      ]);
      const polledBy = activities.identities.filter((identity) => queue === 'email' || workflows.identities.includes(identity));
      const unserved = activities.identities.length === 0 || (queue !== 'email' && workflows.identities.length === 0);
      return {
        queue,
        taskQueue: TASK_QUEUES[queue],
        workflows: workflows.tasks,
        activities: activities.tasks,
        polledBy,
        warning: unserved ? 'no workers polling' : undefined,
      };
    }),
  );
}

/** @returns how many workflow tasks wait in a task queue, as Temporal estimates it */
export const readWaitingTasks = async (client: Client, queue: QueueName): Promise<number> =>
  (await readBacklog(client, TASK_QUEUES[queue], WORKFLOW, Date.now())).tasks.backlog;

async function readBacklog(
  client: Client,
  name: string,
  taskQueueType: number,
  now: number,
): Promise<{ tasks: TaskBacklog; identities: string[] }> {
  const { pollers, stats } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name },
    taskQueueType,
    reportStats: true,
    reportPollers: true,
  });
  const age = stats?.approximateBacklogAge;
  const alive = (pollers ?? []).filter(({ lastAccessTime }) => tsToMs(lastAccessTime) > now - SILENT_AFTER);
  return {
    identities: alive.map(({ identity }) => identity ?? ''),
    tasks: {
      pollers: alive.length,
      backlog: Number(stats?.approximateBacklogCount ?? 0),
      backlogAge: Number(age?.seconds ?? 0) * 1000 + Math.round((age?.nanos ?? 0) / 1e6),
      addedPerSecond: stats?.tasksAddRate ?? 0,
      dispatchedPerSecond: stats?.tasksDispatchRate ?? 0,
    },
  };
}
