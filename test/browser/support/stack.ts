import { inject } from 'vitest';
import { v7 as uuid } from 'uuid';
import { startApi } from '../../../src/api/service.ts';
import { loadApiConfig } from '../../../src/config.ts';
import { orderEvents, orderItems, orders, payments } from '../../../src/db/schema.ts';
import { createLogger } from '../../../src/log.ts';
import { insertApiKey } from '../../../src/records/api-keys.ts';
import { freePort } from '../../../src/sandbox/ports.ts';
import { WEBHOOK_SECRET } from '../../api/support/api.ts';
import { createNamespace } from '../../support/namespace.ts';
import { createShop, type Shop } from '../../support/shop.ts';
import { startWorker } from '../../support/worker-process.ts';

/** A whole shop, as in production but smaller: API, worker, Temporal, Postgres, and the simulators. */
export async function startStack() {
  const port = await freePort();
  const webhook = { url: `http://127.0.0.1:${port}/v1/webhooks/warehouse`, secret: WEBHOOK_SECRET };
  const [shop, temporal] = await Promise.all([
    createShop({ webhook, shipAfterMs: 100, deliverAfterMs: 100 }),
    createNamespace(),
  ]);
  await fillPast(shop);
  // Temporal's address is read from its standard variables.
  process.env['TEMPORAL_ADDRESS'] = temporal.address;
  const config = loadApiConfig({
    ...shop.environment,
    API_PORT: String(port),
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    TEMPORAL_NAMESPACE: temporal.namespace,
    WAREHOUSE_WEBHOOK_SECRET: WEBHOOK_SECRET,
  });
  const api = await startApi(config, createLogger('api', 'fatal'));
  const worker = await startWorker({
    ...shop.environment,
    ...temporal.environment,
    WORKFLOW_BUNDLE: inject('workflowBundlePath'),
  });
  const [operator, customer] = await Promise.all([
    insertApiKey(shop.db, { name: 'night shift', role: 'operator' }),
    insertApiKey(shop.db, { name: 'web shop', role: 'customer' }),
  ]);
  return {
    url: api.url,
    shop,
    db: shop.db,
    keys: { operator, customer },
    async close() {
      await worker.stop();
      await api.close();
      await shop.close();
      await temporal.close();
    },
  };
}

export type Stack = Awaited<ReturnType<typeof startStack>>;

const HOUR = 3_600_000;

/** Ten days of orders for the charts and reports, more by day than by night. */
async function fillPast({ db, caller }: Shop): Promise<void> {
  const now = Date.now();
  const times = Array.from({ length: 10 * 24 * 4 }, (_, index) => new Date(now - (index + 1) * (HOUR / 4))).filter(
    (at, index) => (at.getUTCHours() >= 6 && at.getUTCHours() < 22) || index % 5 === 0,
  );
  const rows = times.map((at, index) => ({ id: uuid({ msecs: at.getTime() }), at, quantity: 1 + (index % 4) }));
  await db.insert(orders).values(
    rows.map(({ id, at, quantity }) => ({
      id,
      owner: caller.keyId,
      status: 'completed' as const,
      amount: quantity * 890,
      currency: 'EUR',
      paymentMethod: 'pm_card_visa',
      customerEmail: 'grace@example.com',
      customerName: 'Grace Hopper',
      line1: '1 Navy Yard',
      city: 'Arlington',
      postalCode: '22202',
      country: 'US',
      createdAt: at,
      updatedAt: new Date(at.getTime() + HOUR / 6),
    })),
  );
  await db.insert(orderItems).values(
    rows.map(({ id, quantity }) => ({ orderId: id, sku: 'TEA-EARL-GREY', name: 'Earl Grey, 100 g', quantity, unitAmount: 890 })),
  );
  await db.insert(orderEvents).values(
    rows.flatMap(({ id, at }) => [
      { orderId: id, generation: 1, status: 'accepted' as const, at },
      { orderId: id, generation: 1, status: 'completed' as const, at: new Date(at.getTime() + HOUR / 6) },
    ]),
  );
  await db.insert(payments).values(
    rows.map(({ id, at, quantity }) => ({
      id: uuid(),
      orderId: id,
      generation: 1,
      state: 'captured' as const,
      amount: quantity * 890,
      captured: quantity * 890,
      currency: 'EUR',
      capturedAt: at,
      createdAt: at,
    })),
  );
}
