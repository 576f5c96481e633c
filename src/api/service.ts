import { Client } from '@temporalio/client';
import { sql } from 'drizzle-orm';
import { configureAlerter } from '../alerts/configured.ts';
import type { ApiConfig } from '../config.ts';
import { OrderLinks } from '../customer-links.ts';
import { connectDatabase } from '../db/client.ts';
import { DATABASE_LIMITS } from '../db/limits.ts';
import { knownHosts } from '../hosts.ts';
import type { Logger } from '../log.ts';
import { poolMetrics } from '../metrics/pool.ts';
import { serveMetrics, type MetricsServer } from '../metrics/server.ts';
import { shopMetrics } from '../metrics/shop.ts';
import { connectTemporal } from '../temporal/connection.ts';
import { createDataConverter } from '../temporal/payloads/data-converter.ts';
import { warnOfClearText } from '../temporal/payloads/keys.ts';
import { createApp } from './app.ts';
import { clientAddressBehind } from './client-address.ts';
import type { Api } from './environment.ts';
import { KeyRing } from './key-ring.ts';
import { Links } from '../views/links.ts';
import { OrderFeed } from './order-feed.ts';
import { createRateLimits, NO_RATE_LIMITS } from './rate-limits.ts';
import { listen, type RunningServer } from './server.ts';

const HEALTH_DEADLINE = 2_000;
/** ms. By default gRPC waits up to two minutes before it tries again. */
const LONGEST_RECONNECT = 1_000;

/** `metricsUrl` is undefined if no port is set for the metrics. */
export type RunningApi = RunningServer & { metricsUrl: string | undefined };

/**
 * Starts the API. Postgres and Temporal may be away: it answers what it can, and `/readyz` says what is missing.
 * @param extend adds further routes
 * @throws when the port is taken
 */
export async function startApi(config: ApiConfig, log: Logger, extend: (api: Api) => void = () => {}): Promise<RunningApi> {
  warnOfClearText(config.PAYLOAD_KEYS, log);
  const database = connectDatabase(config.DATABASE_URL, {
    max: config.DATABASE_POOL,
    name: 'holdfast-api',
    limits: DATABASE_LIMITS.api,
  });
  const temporal = connectTemporal({
    // A waiting person is told at once that Temporal is away. The client's own retries would make them wait.
    interceptors: [],
    channelArgs: { 'grpc.initial_reconnect_backoff_ms': 200, 'grpc.max_reconnect_backoff_ms': LONGEST_RECONNECT },
  });
  const keys = new KeyRing(database.db);
  const clientAddress = clientAddressBehind(config.TRUSTED_PROXIES);
  const feed = new OrderFeed();
  const stopping = new AbortController();
  let metrics: MetricsServer | undefined;
  const release = async () => {
    await keys.close();
    await Promise.allSettled([database.close(), temporal.close(), metrics?.close()]);
  };
  const client = new Client({
    connection: temporal,
    namespace: config.TEMPORAL_NAMESPACE,
    dataConverter: createDataConverter(config.PAYLOAD_KEYS),
  });
  const api = createApp({
    db: database.db,
    keys,
    feed,
    links: new Links(config.TEMPORAL_UI_URL, config.TEMPORAL_NAMESPACE),
    customerLinks: new OrderLinks(config.PUBLIC_URL, config.PAYLOAD_KEYS),
    readiness: {
      postgres: () => database.db.execute(sql`select 1`),
      temporal: () =>
        // Not the system's information: a server without our namespace gives that as well, and takes no command.
        temporal.withDeadline(Date.now() + HEALTH_DEADLINE, () =>
          temporal.workflowService.describeNamespace({ namespace: config.TEMPORAL_NAMESPACE }),
        ),
    },
    temporal: client,
    clientAddress,
    limits: config.RATE_LIMIT === 'off' ? NO_RATE_LIMITS : createRateLimits(config.RATE_LIMIT, clientAddress),
    temporalUiUrl: config.TEMPORAL_UI_URL,
    publicUrl: config.PUBLIC_URL,
    isKnownHost: knownHosts([new URL(config.PUBLIC_URL).hostname, ...config.ALLOWED_HOSTS]),
    timeZone: config.SHOP_TIME_ZONE,
    stopping: stopping.signal,
    log,
    warehouseWebhookSecrets: config.WAREHOUSE_WEBHOOK_SECRET,
    stripeWebhookSecrets: config.STRIPE_WEBHOOK_SECRET,
  });
  extend(api);
  const { METRICS_HOST: host, METRICS_PORT: port } = config;
  const metricsSources = [poolMetrics(database.db.$client), shopMetrics(database.db)];
  try {
    if (port !== undefined) metrics = await serveMetrics({ host, port }, metricsSources);
    const server = await listen(api, { host: config.API_HOST, port: config.API_PORT });
    feed.start(database.db);
    // The workers have one, too. This one is there when no worker is.
    const alerter = configureAlerter(config, { db: database.db, client, log });
    const alerting = alerter.run();
    return {
      url: server.url,
      metricsUrl: metrics?.url,
      close: async () => {
        // First, or the waiting requests would hold the server open.
        feed.close();
        stopping.abort();
        await server.close();
        await alerting.stop();
        alerter.close();
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}
