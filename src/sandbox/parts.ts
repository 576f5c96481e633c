import { join } from 'node:path';
import { temporalProfile } from './application-environment.ts';
import { answers, startChild, type ChildSpec, type Supervision } from './child.ts';
import { freePort, localUrl } from './ports.ts';
import { startPostgres } from './postgres.ts';
import { projectRoot } from './project.ts';
import { writeSecret, type Secrets } from './secrets.ts';
import type { Settings } from './settings.ts';
import { SHOP_WINDOW, shopSettings } from './shop/settings.ts';
import type { Shutdown } from './shutdown.ts';
import { startInbox } from './simulators/inbox.ts';
import { startPaymentSimulator } from './simulators/payments.ts';
import { startWarehouseSimulator } from './simulators/warehouse.ts';
import { temporalBinary, temporalCli } from './temporal-binaries.ts';
import { startTemporalServer } from './temporal-server.ts';
import { serveTemporalUi } from './temporal-ui.ts';

/** What the start of every part of a stack needs. */
export interface StackContext {
  settings: Settings;
  secrets: Secrets;
  supervision: Supervision;
  shutdown: Shutdown;
  /** Prints a line to the terminal. */
  tell: (line: string) => void;
}

const file = ({ settings }: StackContext, ...names: string[]) => join(settings.home, ...names);

/** Starts PostgreSQL. Returns its connection string. */
export async function postgresPart(context: StackContext): Promise<string> {
  const { settings, secrets, supervision, shutdown } = context;
  const server = await startPostgres({
    dataFolder: file(context, 'postgres'),
    port: settings.ports.postgres,
    password: secrets.databasePassword,
    logFile: file(context, 'logs', 'postgres.log'),
    supervision,
  });
  return shutdown.add('postgres', server).url;
}

/** Starts Temporal with its Web UI, which shows payloads in clear text to whoever is signed in at the operator's page. Returns its address. */
export async function temporalPart(context: StackContext): Promise<string> {
  const { settings, secrets, supervision, shutdown, tell } = context;
  const codecUrl = localUrl(settings.ports.api, '/codec');
  const uiPort = await freePort();
  const server = await startTemporalServer({
    binary: await temporalBinary(temporalCli, { onDownload: () => tell('  Downloading Temporal (first start only) …') }),
    port: settings.ports.temporal,
    uiPort,
    codecUrl,
    databaseFile: file(context, 'temporal.db'),
    namespace: settings.namespace,
    logFile: file(context, 'logs', 'temporal.log'),
    supervision,
  });
  shutdown.add('temporal', server);
  const ui = { port: settings.ports.temporalUi, upstream: localUrl(uiPort), signIn: localUrl(settings.ports.api, '/ops'), allowedHosts: settings.allowedHosts };
  shutdown.add('temporal', await serveTemporalUi(ui));
  // Read by the API and the worker, and by the `temporal` command line, which also asks the codec.
  const profile = [
    '[profile.default]',
    `address = "${server.address}"`,
    `namespace = "${settings.namespace}"`,
    '[profile.default.codec]',
    `endpoint = "${codecUrl}"`,
    `auth = "Bearer ${secrets.operatorKey}"`,
    '',
  ];
  await writeSecret(file(context, temporalProfile), profile.join('\n'));
  return server.address;
}

/** Starts the mail inbox. Returns its SMTP URL. */
export async function inboxPart(context: StackContext): Promise<string> {
  const { settings, shutdown } = context;
  const inbox = await startInbox({
    smtpPort: settings.ports.smtp,
    httpPort: settings.ports.inbox,
    file: file(context, 'inbox.jsonl'),
    allowedHosts: settings.allowedHosts,
  });
  shutdown.add('simulators', { stop: inbox.close });
  return inbox.smtpUrl;
}

/** How long the simulated bank takes to complete, fail or dispute something. */
const SETTLE_AFTER_MS = 5_000;

/** Starts the payment simulator, which sends its webhooks to the API. Returns its base URL. */
export async function paymentsPart(context: StackContext): Promise<string> {
  const { settings, secrets, shutdown } = context;
  const payments = await startPaymentSimulator({
    port: settings.ports.payments,
    ledgerFile: file(context, 'payments.jsonl'),
    secretKey: secrets.stripeSecretKey,
    webhook: { url: localUrl(settings.ports.api, '/v1/webhooks/stripe'), secret: secrets.stripeWebhookSecret },
    settleAfterMs: SETTLE_AFTER_MS,
    allowedHosts: settings.allowedHosts,
  });
  shutdown.add('simulators', { stop: payments.close });
  return payments.url;
}

/** Starts the warehouse simulator, which sends its webhooks to the API. Returns its base URL. */
export async function warehousePart(context: StackContext): Promise<string> {
  const { settings, secrets, shutdown } = context;
  const warehouse = await startWarehouseSimulator({
    port: settings.ports.warehouse,
    ledgerFile: file(context, 'warehouse.jsonl'),
    apiKey: secrets.warehouseApiKey,
    webhook: {
      url: localUrl(settings.ports.api, '/v1/webhooks/warehouse'),
      secret: secrets.warehouseWebhookSecret,
    },
    ...settings.warehousePace,
    allowedHosts: settings.allowedHosts,
  });
  shutdown.add('simulators', { stop: warehouse.close });
  return warehouse.url;
}

/**
 * Node's flags for an API. With more room for new objects, those of a request are garbage before V8 copies them. The Dockerfile,
 * docker-compose.yml and `npm run api` have it, too.
 */
export const API_FLAGS = ['--max-semi-space-size=32'];

/** Starts the API in its own process, with the shop window at `/` if there is one. */
export async function apiPart(context: StackContext, env: NodeJS.ProcessEnv): Promise<void> {
  const { settings, secrets } = context;
  const url = localUrl(settings.ports.api, '/livez');
  const variables = { ...env, METRICS_PORT: String(settings.ports.apiMetrics), [SHOP_WINDOW]: JSON.stringify(shopSettings(settings, secrets)) };
  await application(context, variables, {
    name: 'api',
    args: [...API_FLAGS, settings.hasShopWindow ? 'src/sandbox/shop/main.ts' : 'src/api/main.ts'],
    isReady: (signal) => answers(url, signal),
  });
}

/** Node's flags for a worker: they load `workflow-threads.js`. `npm run worker` and docker-compose.yml have them, too. */
export const WORKER_FLAGS = ['--import', './src/temporal/workflow-threads.js'];

/**
 * Starts one worker for all queues, in its own process. It registers the search attributes and the schedules.
 * @param isPolling whether the worker with this pid polls for work
 */
export async function workerPart(
  context: StackContext,
  env: NodeJS.ProcessEnv,
  isPolling: (pid: number) => Promise<boolean>,
): Promise<void> {
  const { workerMetrics, temporalMetrics } = context.settings.ports;
  const metrics = { METRICS_PORT: String(workerMetrics), TEMPORAL_METRICS_PORT: String(temporalMetrics) };
  await application(context, { ...env, ...metrics }, {
    name: 'worker',
    args: [...WORKER_FLAGS, 'src/worker.ts', '--queues', 'orders,email,operations'],
    isReady: (_signal, pid) => isPolling(pid),
  });
}

type Application = Pick<ChildSpec, 'name' | 'args' | 'isReady'>;

/** Starts a program of this checkout in its own process. It stops before the services that it uses. */
export async function application(context: StackContext, env: NodeJS.ProcessEnv, { name, args, isReady }: Application) {
  const child = await startChild(
    {
      name,
      command: process.execPath,
      args: ['--import', 'tsx', ...args],
      cwd: projectRoot,
      env,
      logFile: file(context, 'logs', `${name}.log`),
      stopSignal: 'SIGTERM',
      // Longer than the worker's own grace period for running activities.
      stopGraceMs: 30_000,
      isReady,
      // A busy machine takes long to load a worker.
      readyWithinMs: 180_000,
    },
    context.supervision,
  );
  context.shutdown.add('applications', child);
}
