import { Client, Connection } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { loadWorkerConfig } from '../config.ts';
import { TASK_QUEUES } from '../contracts/names.ts';
import { connectDatabase } from '../db/client.ts';
import { migrate } from '../db/migrate.ts';
import { seedCatalogue } from '../db/seed.ts';
import { ensureApiKey } from '../ops/api-keys.ts';
import { registerSearchAttributes, upsertWeeklyReportSchedule } from '../ops/setup.ts';
import type { Secrets } from './secrets.ts';

/** Brings a database to the present schema, with the catalogue and this stack's API keys. Safe to repeat. */
export async function prepareDatabase(url: string, secrets: Secrets): Promise<void> {
  await migrate(url);
  const { db, close } = connectDatabase(url, { max: 2, name: 'holdfast-sandbox' });
  try {
    await seedCatalogue(db);
    await ensureApiKey(db, { name: 'sandbox customer', role: 'customer', key: secrets.customerKey });
    await ensureApiKey(db, { name: 'sandbox support', role: 'support', key: secrets.supportKey });
    await ensureApiKey(db, { name: 'sandbox operator', role: 'operator', key: secrets.operatorKey });
  } finally {
    await close();
  }
}

/**
 * Registers in Temporal what the applications rely on. Safe to repeat.
 * @param env the environment that the applications get
 */
export async function prepareTemporal(env: NodeJS.ProcessEnv): Promise<void> {
  await withClient(env, async (client) => {
    await registerSearchAttributes(client.connection, client.options.namespace);
    await upsertWeeklyReportSchedule(client, loadWorkerConfig(env));
  });
}

/** Returns a check whether a worker has begun, after this call, to ask for orders' work. */
export function workerIsPolling(env: NodeJS.ProcessEnv): () => Promise<boolean> {
  const since = Date.now();
  return () =>
    withClient(env, async (client) => {
      const { pollers } = await client.workflowService.describeTaskQueue({
        namespace: client.options.namespace,
        taskQueue: { name: TASK_QUEUES.orders },
        taskQueueType: temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
      });
      return (pollers ?? []).some(
        ({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1_000 >= since - 1_000,
      );
    });
}

async function withClient<Result>(env: NodeJS.ProcessEnv, use: (client: Client) => Promise<Result>): Promise<Result> {
  const { connectionOptions, namespace } = loadClientConnectConfig({ overrideEnvVars: definedOf(env) });
  const connection = await Connection.connect(connectionOptions);
  try {
    return await use(new Client({ connection, ...(namespace && { namespace }) }));
  } finally {
    await connection.close();
  }
}

function definedOf(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
