import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { TASK_QUEUES } from '../contracts/names.ts';
import { connectDatabase } from '../db/client.ts';
import { migrate } from '../db/migrate.ts';
import { seedCatalogue } from '../db/seed.ts';
import { ensureApiKey } from '../records/api-keys.ts';
import { SetupError } from './project.ts';
import type { Secrets } from './secrets.ts';

/**
 * Brings a database to the present schema, with the catalogue and this stack's API keys. Safe to repeat.
 * @throws SetupError when it cannot be reached or changed
 */
export async function prepareDatabase(url: string, secrets: Secrets): Promise<void> {
  try {
    await migrate(url);
  } catch (error) {
    throw new SetupError(`The database cannot be brought to the present schema: ${reasonOf(error)}`, { cause: error });
  }
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
 * Returns a check whether the worker of a pid asks for orders' work.
 * @param env the environment that the worker gets
 */
export function workerIsPolling(env: NodeJS.ProcessEnv): (pid: number) => Promise<boolean> {
  return (pid) =>
    withClient(env, async (client) => {
      const { pollers } = await client.workflowService.describeTaskQueue({
        namespace: client.options.namespace,
        taskQueue: { name: TASK_QUEUES.orders },
      });
      // The SDK's default identity is <pid>@<host>.
      return (pollers ?? []).some(({ identity }) => identity?.startsWith(`${pid}@`));
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

/** The driver's own words, which the query builder wraps into its own. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause !== undefined) return reasonOf(error.cause);
  return error.message || ('code' in error ? String(error.code) : error.name);
}
