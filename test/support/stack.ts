import { Client } from '@temporalio/client';
import { startApi } from '../../src/api/service.ts';
import { loadApiConfig } from '../../src/config.ts';
import { freePort } from '../../src/sandbox/ports.ts';
import { insertApiKey } from '../../src/records/api-keys.ts';
import { connectTemporal } from '../../src/temporal/connection.ts';
import { WEBHOOK_SECRET } from '../api/support/api.ts';
import { expectBooksBalanced } from './books.ts';
import { dataConverter } from './payloads.ts';
import { createShop, STRIPE_WEBHOOK_SECRET } from './shop.ts';
import { startWorker } from './service-process.ts';

export type Stack = Awaited<ReturnType<typeof startStack>>;

/**
 * Starts the shop as it runs in production: an API, a worker process, Postgres and the simulators. The warehouse ships
 * and delivers parcels by itself, and sends webhooks to the API.
 * @param variables of the environment that differ from their defaults, and those that lead to a Temporal server
 * @param at the port of the API, if it has to be known before
 */
export async function startStack(variables: Record<string, string> & { TEMPORAL_ADDRESS: string }, at?: number) {
  const port = at ?? (await freePort());
  const publicUrl = `http://127.0.0.1:${port}`;
  const shop = await createShop({
    webhook: { url: `${publicUrl}/v1/webhooks/warehouse`, secret: WEBHOOK_SECRET },
    paymentWebhook: { url: `${publicUrl}/v1/webhooks/stripe`, secret: STRIPE_WEBHOOK_SECRET },
    shipAfterMs: 100,
    deliverAfterMs: 100,
    environment: { PUBLIC_URL: publicUrl, ...variables },
  });
  // Temporal's SDK reads its address from the environment of the process.
  process.env['TEMPORAL_ADDRESS'] = variables.TEMPORAL_ADDRESS;
  const config = loadApiConfig({
    ...shop.environment,
    API_PORT: String(port),
    METRICS_PORT: '0',
    WAREHOUSE_WEBHOOK_SECRET: WEBHOOK_SECRET,
  });
  const api = await startApi(config, shop.log);
  const connection = connectTemporal();
  const client = new Client({ connection, namespace: config.TEMPORAL_NAMESPACE, dataConverter });
  const launchWorker = () => startWorker(shop.environment);
  let worker = await launchWorker();

  return {
    url: api.url,
    /** Where the API serves its metrics. */
    metricsUrl: api.metricsUrl,
    shop,
    db: shop.db,
    client,
    keys: {
      operator: await insertApiKey(shop.db, { name: 'night shift', role: 'operator' }),
      customer: await insertApiKey(shop.db, { name: 'web shop', role: 'customer' }),
    },

    /** Ends the worker at once, as `kill -9` does. */
    killWorker: () => worker.kill(),

    async restartWorker(): Promise<void> {
      worker = await launchWorker();
    },

    /** See {@link expectBooksBalanced}. */
    expectBooksBalanced: () => expectBooksBalanced(shop, client),

    async close(): Promise<void> {
      await worker.stop();
      await api.close();
      await connection.close();
      await shop.close();
    },
  };
}
