import { Connection } from '@temporalio/client';
import { TASK_QUEUES } from '../contracts/names.ts';
import { connectDatabase } from '../db/client.ts';
import { DATABASE_LIMITS } from '../db/limits.ts';
import { migrate } from '../db/migrate.ts';
import { seedCatalogue } from '../db/seed.ts';
import { ensureApiKey } from '../records/api-keys.ts';
import { temporalAddress } from '../temporal/connection.ts';
import { SetupError } from './project.ts';
import type { Secrets } from './secrets.ts';

/**
 * Migrates a database and adds the catalogue and this stack's API keys. Safe to repeat.
 * @throws SetupError if the migration fails
 */
export async function prepareDatabase(url: string, secrets: Pick<Secrets, 'customerKey' | 'supportKey' | 'operatorKey'>): Promise<void> {
  try {
    await migrate(url);
  } catch (error) {
    throw new SetupError(`Cannot migrate the database: ${reasonOf(error)}`, { cause: error });
  }
  const { db, close } = connectDatabase(url, { max: 2, name: 'holdfast-sandbox', limits: DATABASE_LIMITS.command });
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
 * Returns a function that checks whether the worker with a given pid polls the orders queue.
 * @param env the environment of the worker
 */
export function workerIsPolling(env: NodeJS.ProcessEnv): (pid: number) => Promise<boolean> {
  const { connectionOptions, namespace = 'default' } = temporalAddress(env);
  return async (pid) => {
    const connection = await Connection.connect(connectionOptions);
    try {
      const taskQueue = { name: TASK_QUEUES.orders };
      const { pollers } = await connection.workflowService.describeTaskQueue({ namespace, taskQueue });
      // The SDK's default identity is <pid>@<host>.
      return (pollers ?? []).some(({ identity }) => identity?.startsWith(`${pid}@`));
    } finally {
      await connection.close();
    }
  };
}

/** The innermost message: the query builder wraps the driver's message into its own. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause !== undefined) return reasonOf(error.cause);
  return error.message || ('code' in error ? String(error.code) : error.name);
}
