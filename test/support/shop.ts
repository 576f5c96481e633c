import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createActivities } from '../../src/activities/index.ts';
import { connectDatabase } from '../../src/db/client.ts';
import { seedCatalogue } from '../../src/db/seed.ts';
import { createMailGateway } from '../../src/gateways/smtp.ts';
import { createPaymentGateway } from '../../src/gateways/stripe.ts';
import { createWarehouseGateway } from '../../src/gateways/warehouse.ts';
import type { Caller } from '../../src/contracts/caller.ts';
import { acceptOrder, type NewOrder } from '../../src/intake/orders.ts';
import { createLogger } from '../../src/log.ts';
import { insertApiKey } from '../../src/records/api-keys.ts';
import { startInbox } from '../../src/sandbox/simulators/inbox.ts';
import { startPaymentSimulator } from '../../src/sandbox/simulators/payments.ts';
import { startWarehouseSimulator } from '../../src/sandbox/simulators/warehouse.ts';
import { createTestDatabase } from './database.ts';

type Pace = Pick<Parameters<typeof startWarehouseSimulator>[0], 'webhook' | 'shipAfterMs' | 'deliverAfterMs'>;

const SECRET_KEY = 'sk_test_shop';
const WAREHOUSE_KEY = 'shop';

/**
 * A shop without Temporal: real Postgres with the catalogue, real payment, warehouse and mail services (the simulators).
 * @param pace how the warehouse moves parcels on, and where it tells so; not at all, unless given
 */
export async function createShop(pace: Pace = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-shop-'));
  const testDatabase = await createTestDatabase();
  const database = connectDatabase(testDatabase.url, { max: 10, name: 'test' });
  await seedCatalogue(database.db);
  const caller: Caller = {
    keyId: (await insertApiKey(database.db, { name: 'shop', role: 'operator' })).id,
    role: 'operator',
  };
  const payments = await startPaymentSimulator({
    port: 0,
    ledgerFile: join(folder, 'payments.jsonl'),
    secretKey: SECRET_KEY,
  });
  const warehouse = await startWarehouseSimulator({
    port: 0,
    ledgerFile: join(folder, 'warehouse.jsonl'),
    apiKey: WAREHOUSE_KEY,
    ...pace,
  });
  const inbox = await startInbox({ smtpPort: 0, httpPort: 0, file: join(folder, 'inbox.jsonl') });
  const mails: { close(): void }[] = [];
  let requests = 0;

  return {
    folder,
    database,
    db: database.db,
    caller,
    payments,
    warehouse,
    inbox,

    /** What a worker or an API of this shop finds in its environment, but for Temporal. */
    environment: {
      DATABASE_URL: testDatabase.url,
      SMTP_URL: inbox.smtpUrl,
      STRIPE_API_BASE: payments.url,
      STRIPE_SECRET_KEY: SECRET_KEY,
      WAREHOUSE_URL: warehouse.url,
      WAREHOUSE_API_KEY: WAREHOUSE_KEY,
    },

    /** @returns the activities, over this shop. @param db another connection than the test's own */
    activities(db = database.db): AsFunctions<ReturnType<typeof createActivities>> {
      const mail = createMailGateway({ url: inbox.smtpUrl, from: 'Holdfast <shop@holdfast.example>' });
      mails.push(mail);
      return createActivities({
        db,
        payments: createPaymentGateway({ secretKey: SECRET_KEY, apiBase: payments.url }),
        warehouse: createWarehouseGateway({ url: warehouse.url, apiKey: WAREHOUSE_KEY }),
        mail,
        settings: {
          publicUrl: 'http://shop.test',
          operationsEmail: 'operations@holdfast.example',
          onCallEmail: 'oncall@holdfast.example',
        },
        log: createLogger('test', 'fatal'),
      });
    },

    /** Takes an order: 2 × Earl Grey, unless changed. @returns its reference */
    async placeOrder(changes: Partial<NewOrder> = {}) {
      const order: NewOrder = {
        customer: { email: 'ada@example.com', name: 'Ada Lovelace' },
        shippingAddress: { line1: '1 Dorset Street', city: 'London', postalCode: 'W1U 4EG', country: 'GB' },
        items: [{ sku: 'TEA-EARL-GREY', quantity: 2 }],
        payment: { method: 'pm_card_visa' },
        ...changes,
      };
      const idempotencyKey = `shop-${(requests += 1)}`;
      const { made } = await acceptOrder(database.db, caller, { idempotencyKey, requestHash: 'shop', order });
      return { orderId: made.id, generation: 1 };
    },

    async close(): Promise<void> {
      for (const mail of mails) mail.close();
      await Promise.all([payments.close(), warehouse.close(), inbox.close()]);
      await database.close();
      await testDatabase.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The same without a `this`, which activities do not use: each may be handed on by itself. */
export type AsFunctions<Activities> = { readonly [Name in Extract<keyof Activities, string>]: Activities[Name] };

export type Shop = Awaited<ReturnType<typeof createShop>>;

// Failing activities are what many of these tests are about.
const logger = new DefaultLogger('ERROR');

/** Runs an activity as a worker would, in an attempt of its own. */
export const runActivity = <Args extends unknown[], Result>(
  activity: (...args: Args) => Promise<Result>,
  ...args: Args
): Promise<Result> => new MockActivityEnvironment({}, { logger }).run(activity, ...args);
