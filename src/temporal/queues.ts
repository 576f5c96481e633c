import type { Client } from '@temporalio/client';
import { QUEUE_NAMES, TASK_QUEUES, type QueueName } from '../contracts/names.ts';

/** One kind of task of a queue, as Temporal estimates it. */
export interface TaskBacklog {
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
  /** What is wrong, e.g. `no workers polling`. */
  warning: string | undefined;
}

const WORKFLOW = 1;
const ACTIVITY = 2;

/** @returns the state of every task queue. The email queue has no workflows, so it needs no workflow pollers. */
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

/** @returns how many workflow tasks wait in a task queue, as Temporal estimates it */
export const readWaitingTasks = async (client: Client, queue: QueueName): Promise<number> =>
  (await readBacklog(client, TASK_QUEUES[queue], WORKFLOW)).backlog;

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
