import { hostname } from 'node:os';
import { parseArgs } from 'node:util';
import { Client } from '@temporalio/client';
import { DefaultLogger, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { configureAlerter } from './alerts/configured.ts';
import { createActivities } from './activities/index.ts';
import { createActivityInterceptor } from './activities/interceptors.ts';
import { createRunActivities } from './activities/broken-runs.ts';
import { createReconciliationActivities } from './activities/reconciliation.ts';
import { ConfigError, loadWorkerConfig, orderPolicy, signupPolicy, type WorkerConfig } from './config.ts';
import { QUEUE_NAMES, TASK_QUEUES, type QueueName } from './contracts/names.ts';
import { OrderLinks } from './customer-links.ts';
import { connectDatabase } from './db/client.ts';
import { DATABASE_LIMITS } from './db/limits.ts';
import { createMailGateway } from './gateways/smtp.ts';
import { createPaymentGateway } from './gateways/stripe.ts';
import { createWarehouseGateway } from './gateways/warehouse.ts';
import { createDispatcher } from './dispatch/dispatcher.ts';
import { announceWorker } from './health/presence.ts';
import { startProber } from './health/prober.ts';
import { createProbes } from './health/probes.ts';
import { readVersion } from './health/version.ts';
import { createLogger, type Logger } from './log.ts';
import { measureCalls } from './metrics/calls.ts';
import { poolMetrics } from './metrics/pool.ts';
import { serveMetrics } from './metrics/server.ts';
import { createReconciler } from './reconcile/reconciler.ts';
import { readWaitingTasks } from './temporal/queues.ts';
import { watchRoom } from './temporal/room.ts';
import { runWorkers } from './temporal/run-workers.ts';
import { scheduleDefinitions, upsertSchedule, type ScheduleDefinition } from './temporal/schedules.ts';
import { registerSearchAttributes } from './temporal/search-attributes.ts';
import { preloadModules, workflowInterceptorModules, workflowsPath } from './temporal/workflow-bundle.ts';
import { startTracing, stopTracing } from './tracing/spans.ts';
import { UndecodablePayloadError } from './temporal/payloads/codec.ts';
import { createDataConverter } from './temporal/payloads/data-converter.ts';
import { warnOfClearText } from './temporal/payloads/keys.ts';
import { connectTemporalNatively } from './temporal/native-connection.ts';

/**
 * The worker process: `npm run worker -- --queues orders,email,operations` (default: all).
 * Works on the named queues until SIGINT or SIGTERM, then finishes what it can within the grace time. A worker of the
 * orders queue also delivers commands; a worker of operations declares the schedules.
 */
async function main(): Promise<void> {
  const config = loadWorkerConfig();
  const queues = parseQueues();
  const log = createLogger('worker', config.LOG_LEVEL);
  installRuntime(log, config);
  await startTracing('holdfast-worker', config.OTEL_EXPORTER_OTLP_ENDPOINT);
  warnOfClearText(config.PAYLOAD_KEYS, log);

  const database = connectDatabase(config.DATABASE_URL, {
    max: config.DATABASE_POOL,
    name: 'holdfast-worker',
    limits: DATABASE_LIMITS.worker,
    prepare: true,
  });
  const createMail = () =>
    measureCalls('email', createMailGateway({ url: config.SMTP_URL, from: config.MAIL_FROM, timeout: config.MAIL_TIMEOUT }));
  const mail = createMail();
  const operationsMail = createMail();
  const connection = await connectTemporalNatively();
  const dataConverter = createDataConverter(config.PAYLOAD_KEYS);
  const client = new Client({ connection, namespace: config.TEMPORAL_NAMESPACE, dataConverter });
  const host = hostname();
  const identity = `${process.pid}@${host}`;
  await registerSearchAttributes(connection, config.TEMPORAL_NAMESPACE);

  const payments = measureCalls(
    'payment',
    createPaymentGateway({
      secretKey: config.STRIPE_SECRET_KEY,
      apiBase: config.STRIPE_API_BASE,
      timeout: config.PAYMENT_TIMEOUT,
    }),
  );
  const warehouse = measureCalls(
    'warehouse',
    createWarehouseGateway({
      url: config.WAREHOUSE_URL,
      apiKey: config.WAREHOUSE_API_KEY,
      timeout: config.WAREHOUSE_TIMEOUT,
    }),
  );
  const activities = createActivities({
    db: database.db,
    payments,
    warehouse,
    mail,
    operationsMail,
    settings: {
      publicUrl: config.PUBLIC_URL,
      customerLinks: new OrderLinks(config.PUBLIC_URL, config.PAYLOAD_KEYS),
      operationsEmail: config.OPERATIONS_EMAIL,
      emailsPerAddressAndDay: config.EMAILS_PER_ADDRESS_AND_DAY,
      reviewAfterDeclines: config.REVIEW_AFTER_DECLINES,
    },
    log,
  });
  const reconciler = createReconciler({ db: database.db, client, payments, warehouse, grace: config.RECONCILE_GRACE });
  const concurrency: Record<QueueName, number> = {
    orders: config.ORDERS_CONCURRENCY,
    email: config.EMAIL_CONCURRENCY,
    operations: config.OPERATIONS_CONCURRENCY,
  };
  const workers = await Promise.all(
    queues.map((queue) =>
      Worker.create({
        connection,
        identity,
        namespace: config.TEMPORAL_NAMESPACE,
        dataConverter,
        taskQueue: TASK_QUEUES[queue],
        activities: {
          ...activities,
          ...createRunActivities({ db: database.db, client }),
          ...createReconciliationActivities(reconciler),
        },
        // The email queue has activities only.
        ...(queue === 'email' ? {} : workflowSource(config)),
        maxConcurrentActivityTaskExecutions: concurrency[queue],
        maxConcurrentLocalActivityExecutions: localConcurrency(config)[queue],
        maxCachedWorkflows: config.MAX_CACHED_WORKFLOWS,
        shutdownGraceTime: config.SHUTDOWN_GRACE,
        interceptors: {
          activity: [createActivityInterceptor(log)],
          // A bundle has them in it.
          workflowModules: config.WORKFLOW_BUNDLE || queue === 'email' ? [] : workflowInterceptorModules,
        },
      }),
    ),
  );

  if (queues.includes('operations')) {
    for (const definition of scheduleDefinitions(config.SHOP_TIME_ZONE)) await declareSchedule(client, definition, log);
  }
  const ordersWorker = workers[queues.indexOf('orders')];
  const dispatcher = ordersWorker
    ? createDispatcher({
        db: database.db,
        client,
        log,
        policies: {
          order: orderPolicy(config),
          signup: signupPolicy(config),
        },
        eagerStart: true,
        room: watchRoom(ordersWorker, () => readWaitingTasks(client, 'orders')),
      }).run(database)
    : undefined;

  const { METRICS_HOST, METRICS_PORT: port } = config;
  const metrics = port === undefined ? undefined : await serveMetrics({ host: METRICS_HOST, port }, [poolMetrics(database.db.$client)]);
  const health = { db: database.db, log };
  const presence = announceWorker(health, { identity, host, version: await readVersion(), queues });
  const prober = startProber({ ...health, probes: createProbes(config) });
  const alerter = configureAlerter(config, { db: database.db, client, log });
  const alerting = alerter.run();

  log.info({ queues }, 'worker ready');
  try {
    await runWorkers(workers);
  } finally {
    await dispatcher?.stop();
    await Promise.all([prober.stop(), presence.stop(), alerting.stop()]);
    alerter.close();
    await metrics?.close();
    mail.close();
    operationsMail.close();
    await database.close();
    await connection.close();
    await stopTracing();
    log.info('worker stopped');
  }
}

/** A schedule that cannot be read stays as it is: a worker that ended would be started again and again, and do none of its other work. */
async function declareSchedule(client: Client, definition: ScheduleDefinition, log: Logger): Promise<void> {
  const schedule = definition.scheduleId;
  try {
    log.info({ schedule, outcome: await upsertSchedule(client, definition) }, 'schedule declared');
  } catch (error) {
    if (!(error instanceof UndecodablePayloadError)) throw error;
    log.error({ schedule, error: error.message }, 'schedule cannot be read');
  }
}

function parseQueues(): QueueName[] {
  const { values } = parseArgs({ options: { queues: { type: 'string', default: QUEUE_NAMES.join(',') } } });
  const asked = values.queues.split(',').map((name) => name.trim());
  const known = QUEUE_NAMES.filter((name) => asked.includes(name));
  if (known.length < asked.length) {
    throw new ConfigError(`--queues takes a list of ${QUEUE_NAMES.join(', ')}; it was "${values.queues}"`);
  }
  return known;
}

/**
 * A local activity of operations needs a connection all the time. Of those of orders, some call the outside: more than there
 * are connections would wait for one until the deadline of their first try.
 */
const localConcurrency = ({ DATABASE_POOL }: WorkerConfig): Record<QueueName, number> => ({
  orders: DATABASE_POOL,
  email: 1,
  operations: Math.ceil(DATABASE_POOL / 3),
});

/** Production uses a bundle made at build time; development bundles the sources at start. */
const workflowSource = ({ WORKFLOW_BUNDLE }: WorkerConfig): Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath' | 'bundlerOptions'> =>
  WORKFLOW_BUNDLE
    ? { workflowBundle: { codePath: WORKFLOW_BUNDLE } }
    : { workflowsPath, bundlerOptions: { preloadModules } };

/** Sends the log lines of Temporal and of workflows to our log, and serves the SDK's metrics if they have a port. */
function installRuntime(log: Logger, { LOG_LEVEL, METRICS_HOST, TEMPORAL_METRICS_PORT }: WorkerConfig): void {
  Runtime.install({
    logger: new DefaultLogger(LOG_LEVEL === 'debug' ? 'DEBUG' : 'INFO', ({ level, message, meta }) => {
      // The interceptor has already logged it, with stable names and without personal data.
      if (meta && 'activityType' in meta) return;
      const write = { TRACE: log.trace, DEBUG: log.debug, INFO: log.debug, WARN: log.warn, ERROR: log.error }[level];
      const error: unknown = meta?.['error'];
      // Temporal has its message, too, but encrypted.
      write.call(log, { temporal: meta, ...(error instanceof UndecodablePayloadError && { error: error.message }) }, message);
    }),
    shutdownSignals: ['SIGINT', 'SIGTERM'],
    ...(TEMPORAL_METRICS_PORT !== undefined && {
      telemetryOptions: {
        metrics: {
          prometheus: { bindAddress: `${METRICS_HOST}:${TEMPORAL_METRICS_PORT}`, countersTotalSuffix: true, unitSuffix: true, useSecondsForDurations: true },
        },
      },
    }),
  });
}

try {
  await main();
} catch (error) {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exitCode = 1;
}
