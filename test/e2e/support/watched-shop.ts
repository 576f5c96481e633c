import { join } from 'node:path';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import proto from '@temporalio/proto';
import { NativeConnection } from '@temporalio/worker';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { loadPayloadKeys } from '../../../src/config.ts';
import { insertApiKey } from '../../../src/records/api-keys.ts';
import { freePorts, localUrl } from '../../../src/sandbox/ports.ts';
import { temporalBinary, temporalCli } from '../../../src/sandbox/temporal-binaries.ts';
import { startTemporalServer } from '../../../src/sandbox/temporal-server.ts';
import { createDataConverter } from '../../../src/temporal/payloads/data-converter.ts';
import { WEBHOOK_SECRET } from '../../api/support/api.ts';
import { PAYLOAD_KEYS } from '../../support/payloads.ts';
import { startApiProcess, startWorker } from '../../support/service-process.ts';
import { createShop, STRIPE_WEBHOOK_SECRET } from '../../support/shop.ts';
import type { Places } from './marks.ts';

const { DescribeWorkflowExecutionResponse, ListWorkflowExecutionsResponse } = proto.temporal.api.workflowservice.v1;
const { History } = proto.temporal.api.history.v1;

/** ms between two looks at the runs that are open */
const LOOK_EVERY = 1_000;

export type WatchedShop = Awaited<ReturnType<typeof startWatchedShop>>;

/**
 * Starts a shop as it runs in production, with a Temporal server of its own, and keeps all that its API, its worker and Temporal
 * say about its work.
 * @param environment variables of the API and the worker that differ from their defaults
 */
export async function startWatchedShop(environment: Record<string, string>) {
  const [temporalPort = 0, apiPort = 0, apiMetrics = 0, workerMetrics = 0, sdkMetrics = 0] = await freePorts(5);
  const url = localUrl(apiPort);
  const shop = await createShop({
    webhook: { url: `${url}/v1/webhooks/warehouse`, secret: WEBHOOK_SECRET },
    paymentWebhook: { url: `${url}/v1/webhooks/stripe`, secret: STRIPE_WEBHOOK_SECRET },
    environment: { PAYLOAD_KEYS, PUBLIC_URL: url, LOG_LEVEL: 'trace', RATE_LIMIT: 'off', WAREHOUSE_WEBHOOK_SECRET: WEBHOOK_SECRET, ...environment },
  });
  const temporal = await startTemporalServer({
    binary: await temporalBinary(temporalCli),
    port: temporalPort,
    databaseFile: join(shop.folder, 'temporal.db'),
    logFile: join(shop.folder, 'temporal.log'),
  });
  const logs = { api: '', worker: '' };
  const variables = { ...shop.environment, TEMPORAL_ADDRESS: temporal.address };
  const api = await startApiProcess({ ...variables, API_PORT: String(apiPort), METRICS_PORT: String(apiMetrics) }, (text) => {
    logs.api += text;
  });
  const worker = await startWorker(
    { ...variables, METRICS_PORT: String(workerMetrics), TEMPORAL_METRICS_PORT: String(sdkMetrics) },
    (text) => {
      logs.worker += text;
    },
  );
  const connection = await NativeConnection.connect({ address: temporal.address });
  const client = new Client({ connection, dataConverter: createDataConverter(loadPayloadKeys(shop.environment)) });
  const watch = watchRuns(client);

  return {
    url,
    shop,
    client,
    keys: {
      customer: (await insertApiKey(shop.db, { name: 'a customer', role: 'customer' })).key,
      stranger: (await insertApiKey(shop.db, { name: 'another customer', role: 'customer' })).key,
      operator: (await insertApiKey(shop.db, { name: 'an operator', role: 'operator' })).key,
    },

    /** @returns what Temporal knows: as anyone sees it who can reach the server or its file, and not the keys */
    async temporal(): Promise<Places> {
      const runs = await listRuns(client);
      const histories = await Promise.all(
        runs.map(({ workflowId, runId }) => client.workflow.getHandle(workflowId, runId).fetchHistory()),
      );
      return {
        'histories, as binary': histories.map((history) => latin1(History.encode(history).finish())).join('\n'),
        'histories, as JSON': histories.map((history) => historyToJSON(history)).join('\n'),
        'describe': [...watch.seen(), ...(await Promise.all(runs.map((run) => describe(client, run))))].join('\n'),
        'the list of runs': await list(client),
        'the database of Temporal': await readFiles(shop.folder, /^temporal\.db/),
        'the log of Temporal': await readFiles(shop.folder, /^temporal\.log/),
      };
    },

    /** @returns what is written about the work for those who run the processes */
    async operations(): Promise<Places> {
      const metrics = { 'API': apiMetrics, 'worker': workerMetrics, 'SDK': sdkMetrics };
      const scraped = Object.entries(metrics).map(async ([name, port]) => [
        `the metrics of the ${name}`,
        await (await fetch(localUrl(port, '/metrics'))).text(),
      ]);
      return {
        'the log of the API': logs.api,
        'the log of the worker': logs.worker,
        ...Object.fromEntries(await Promise.all(scraped)),
      };
    },

    /** @returns all that is in Postgres: the commands, which are what Temporal is told, and everything else */
    async postgres(): Promise<{ commands: string; rest: string }> {
      const { rows } = await shop.db.execute(sql`
        select table_name as name, query_to_xml(format('select * from public.%I', table_name), true, false, '')::text as content
        from information_schema.tables where table_schema = 'public'`);
      const tables = z.array(z.object({ name: z.string(), content: z.string() })).parse(rows);
      const contents = (isPart: (name: string) => boolean) => tables.flatMap(({ name, content }) => (isPart(name) ? content : [])).join('\n');
      return { commands: contents((name) => name === 'commands'), rest: contents((name) => name !== 'commands') };
    },

    /** Resolves when the run of a workflow has ended. @returns how, e.g. `FAILED` */
    async ended(workflowId: string): Promise<string> {
      for (;;) {
        const { status } = await client.workflow.getHandle(workflowId).describe();
        if (status.name !== 'RUNNING') return status.name;
        await sleep(LOOK_EVERY);
      }
    },

    async close(): Promise<void> {
      await watch.stop();
      await connection.close();
      await Promise.all([api.stop(), worker.stop()]);
      await temporal.stop();
      await shop.close();
    },
  };
}

/** Looks at the open runs again and again: what they wait for, and why it failed last, is gone when they have ended. */
function watchRuns(client: Client) {
  const seen: string[] = [];
  const stopping = new AbortController();
  const watching = (async () => {
    while (!stopping.signal.aborted) {
      for (const run of await listRuns(client, 'ExecutionStatus = "Running"')) seen.push(await describe(client, run));
      await sleep(LOOK_EVERY, undefined, { signal: stopping.signal }).catch(() => {});
    }
  })();
  return {
    seen: () => seen,
    async stop(): Promise<void> {
      stopping.abort();
      await watching;
    },
  };
}

async function listRuns(client: Client, query = ''): Promise<{ workflowId: string; runId: string }[]> {
  const runs = [];
  for await (const { workflowId, runId } of client.workflow.list({ query })) runs.push({ workflowId, runId });
  return runs;
}

/** @returns the answer of the server, as it is sent */
async function describe({ workflowService, options: { namespace } }: Client, run: { workflowId: string; runId: string }): Promise<string> {
  const answer = await workflowService.describeWorkflowExecution({ namespace, execution: run });
  return latin1(DescribeWorkflowExecutionResponse.encode(answer).finish());
}

async function list({ workflowService, options: { namespace } }: Client): Promise<string> {
  const answer = await workflowService.listWorkflowExecutions({ namespace });
  return latin1(ListWorkflowExecutionsResponse.encode(answer).finish());
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

async function readFiles(folder: string, names: RegExp): Promise<string> {
  const files = (await readdir(folder)).filter((file) => names.test(file));
  return (await Promise.all(files.map((file) => readFile(join(folder, file), 'latin1')))).join('\n');
}
