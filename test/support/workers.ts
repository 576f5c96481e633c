import type { DataConverter } from '@temporalio/common';
import { DefaultLogger, Runtime, Worker, type NativeConnection } from '@temporalio/worker';
import { inject } from 'vitest';
import { createActivityInterceptor } from '../../src/activities/interceptors.ts';
import { QUEUE_NAMES, TASK_QUEUES, type QueueName } from '../../src/contracts/names.ts';
import { dataConverter as encrypting } from './payloads.ts';
import type { Shop } from './shop.ts';

// Many tests make activities fail; their warnings would hide what matters.
Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR', forward: {} } } });

export interface WorkersOptions {
  connection: NativeConnection;
  namespace?: string;
  /** By default it encrypts, with the keys of tests. */
  dataConverter?: DataConverter;
  /** By default all queues. */
  queues?: readonly QueueName[];
  /** How many activities each worker does at a time. */
  slots?: number;
  /** Where activities are logged; by default, in the log of the shop. */
  log?: Shop['log'];
  /** Replaces activities of the shop, for example to lose their answers. */
  replaceActivities?: (shop: Shop) => Partial<ReturnType<Shop['activities']>>;
}

/** Starts the workers of a shop in this process. @returns stops them */
export async function startWorkers(
  shop: Shop,
  { connection, namespace = 'default', dataConverter = encrypting, queues = QUEUE_NAMES, slots, log = shop.log, replaceActivities = () => ({}) }: WorkersOptions,
): Promise<() => Promise<void>> {
  const activities = { ...shop.activities(), ...replaceActivities(shop) };
  const workers = await Promise.all(
    queues.map((queue) =>
      Worker.create({
        connection,
        namespace,
        dataConverter,
        taskQueue: TASK_QUEUES[queue],
        // The email queue has activities only.
        ...(queue === 'email' ? {} : { workflowBundle: { codePath: inject('workflowBundlePath') } }),
        activities,
        ...(slots !== undefined && { maxConcurrentActivityTaskExecutions: slots }),
        interceptors: { activity: [createActivityInterceptor(log)] },
      }),
    ),
  );
  const running = Promise.all(workers.map((worker) => worker.run()));
  return async () => {
    for (const worker of workers) worker.shutdown();
    await running;
  };
}
