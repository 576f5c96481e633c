import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterAll } from 'vitest';
import { createActivities } from '../../src/activities/index.ts';
import { loadWorkerConfig, orderPolicy, signupPolicy } from '../../src/config.ts';
import { shipmentReference } from '../../src/contracts/ids.ts';
import { OrderLinks } from '../../src/customer-links.ts';
import { createDispatcher, type Dispatcher } from '../../src/dispatch/dispatcher.ts';
import { createMailGateway } from '../../src/gateways/smtp.ts';
import { createPaymentGateway } from '../../src/gateways/stripe.ts';
import { createWarehouseGateway } from '../../src/gateways/warehouse.ts';
import type { Caller } from '../../src/contracts/caller.ts';
import { acceptOrder, type NewOrder } from '../../src/intake/orders.ts';
import { recordCarrierWebhook } from '../../src/intake/webhooks.ts';
import { createLogger } from '../../src/log.ts';
import { startInbox } from '../../src/sandbox/simulators/inbox.ts';
import { startPaymentSimulator } from '../../src/sandbox/simulators/payments.ts';
import { startWarehouseSimulator } from '../../src/sandbox/simulators/warehouse.ts';
import { createCaller } from './caller.ts';
import { connectTestDatabase } from './database.ts';
import { PAYLOAD_KEYS } from './payloads.ts';
import { createTemporaryFolder } from './temporary-folder.ts';

type WarehouseOptions = Parameters<typeof startWarehouseSimulator>[0];

/** By default the warehouse neither moves parcels by itself nor sends webhooks. */
export interface ShopOptions extends Pick<WarehouseOptions, 'webhook' | 'shipAfterMs' | 'deliverAfterMs'> {
  /** Where the payment provider sends its events; by default, nowhere. */
  paymentWebhook?: WarehouseOptions['webhook'];
  /** ms that one call to an outside service may take; by default, the limits of production */
  gatewayTimeout?: number;
  /** Variables of the worker that differ from their defaults. */
  environment?: Record<string, string>;
}

const STRIPE_SECRET_KEY = 'sk_test_rig';
export const STRIPE_WEBHOOK_SECRET = 'whsec_only_for_tests';
const WAREHOUSE_API_KEY = 'shop';

/** A shop without Temporal: real Postgres with the catalogue, and the payment, warehouse and mail simulators. */
export async function createShop({ gatewayTimeout, paymentWebhook, environment: overrides, ...pace }: ShopOptions = {}) {
  const folder = await createTemporaryFolder();
  const database = await connectTestDatabase();
  const { db } = database;
  const caller = await createCaller(db, 'operator');
  const ledgerFile = (name: string) => join(folder.path, `${name}.jsonl`);
  const payments = await startPaymentSimulator({
    port: 0,
    ledgerFile: ledgerFile('payments'),
    secretKey: STRIPE_SECRET_KEY,
    webhook: paymentWebhook,
  });
  const warehouse = await startWarehouseSimulator({
    port: 0,
    ledgerFile: ledgerFile('warehouse'),
    apiKey: WAREHOUSE_API_KEY,
    ...pace,
  });
  const inbox = await startInbox({ smtpPort: 0, httpPort: 0, file: ledgerFile('inbox') });

  const environment = {
    DATABASE_URL: database.url,
    PAYLOAD_KEYS,
    SMTP_URL: inbox.smtpUrl,
    STRIPE_API_BASE: payments.url,
    STRIPE_SECRET_KEY,
    STRIPE_WEBHOOK_SECRET,
    WAREHOUSE_URL: warehouse.url,
    WAREHOUSE_API_KEY,
    // Most tests have one customer, who does all there is to do.
    REVIEW_AFTER_DECLINES: 'off',
    EMAILS_PER_ADDRESS_AND_DAY: 'off',
    ...overrides,
  };
  const config = loadWorkerConfig(environment);
  const timeout = gatewayTimeout === undefined ? {} : { timeout: gatewayTimeout };
  const gateways = {
    payments: createPaymentGateway({
      secretKey: config.STRIPE_SECRET_KEY,
      apiBase: config.STRIPE_API_BASE,
      ...timeout,
    }),
    warehouse: createWarehouseGateway({ url: config.WAREHOUSE_URL, apiKey: config.WAREHOUSE_API_KEY, ...timeout }),
    mail: createMailGateway({ url: config.SMTP_URL, from: config.MAIL_FROM, ...timeout }),
    operationsMail: createMailGateway({ url: config.SMTP_URL, from: config.MAIL_FROM, ...timeout }),
  };
  const log = createLogger('test', process.env['LOG_LEVEL'] ?? 'fatal');

  return {
    folder: folder.path,
    database,
    db,
    caller,
    payments,
    warehouse,
    inbox,
    gateways,
    log,

    /** The configuration of its workers. */
    config,

    /** What a worker or an API of this shop finds in its environment, except for Temporal. */
    environment,

    /** @returns the activities of this shop. @param connection replaces the shop's own connection to the database */
    activities: (connection = db): AsFunctions<ReturnType<typeof createActivities>> =>
      createActivities({
        db: connection,
        ...gateways,
        settings: {
          publicUrl: config.PUBLIC_URL,
          customerLinks: new OrderLinks(config.PUBLIC_URL, config.PAYLOAD_KEYS),
          operationsEmail: config.OPERATIONS_EMAIL,
          emailsPerAddressAndDay: config.EMAILS_PER_ADDRESS_AND_DAY,
          reviewAfterDeclines: config.REVIEW_AFTER_DECLINES,
        },
        log,
      }),

    /**
     * @returns a dispatcher of this shop
     * @param connection replaces the shop's own connection to the database
     * @param room of its worker, see `DispatcherOptions`
     */
    dispatcher: (client: Client, connection = db, room?: () => number): Dispatcher =>
      createDispatcher({
        db: connection,
        client,
        log,
        policies: {
          order: orderPolicy(config),
          signup: signupPolicy(config),
        },
        eagerStart: false,
        ...(room && { room }),
      }),

    /** Accepts an order, by default for 2 × Earl Grey. @param by who places it. @returns its reference */
    async placeOrder(changes: Partial<NewOrder> = {}, by: Caller = caller) {
      const order: NewOrder = {
        customer: { email: 'ada@example.com', name: 'Ada Lovelace' },
        shippingAddress: { line1: '1 Dorset Street', city: 'London', postalCode: 'W1U 4EG', country: 'GB' },
        items: [{ sku: 'TEA-EARL-GREY', quantity: 2 }],
        payment: { method: 'pm_card_visa' },
        ...changes,
      };
      const { made } = await acceptOrder(db, by, { idempotencyKey: crypto.randomUUID(), requestHash: 'test', order });
      return { orderId: made.id, generation: 1 };
    },

    /** Receives a webhook of the carrier about the parcel of an order. */
    async carrier(
      orderId: string,
      type: 'shipped' | 'delivered' | 'rejected',
      { generation = 1, reason = 'damaged in store' }: { generation?: number; reason?: string } = {},
    ): Promise<void> {
      await recordCarrierWebhook(db, {
        eventId: crypto.randomUUID(),
        type: `shipment.${type}`,
        data: {
          reference: shipmentReference({ orderId, generation }),
          carrier: 'Parcel Post',
          trackingNumber: 'PP1',
          ...(type === 'rejected' ? { reason } : {}),
        },
      });
    },

    /** Ships the parcel of an order at the warehouse, while the webhook about it is still on its way. */
    async shipSilently(orderId: string): Promise<void> {
      const reference = encodeURIComponent(shipmentReference({ orderId, generation: 1 }));
      const response = await fetch(`${warehouse.url}/_sandbox/shipments/${reference}/shipped`, { method: 'POST' });
      if (!response.ok) throw new Error(`The warehouse answered ${response.status}.`);
    },

    /** Ends every fault of the simulators. */
    heal(): void {
      for (const { faults } of [payments, warehouse, inbox]) faults.clear();
    },

    async close(): Promise<void> {
      gateways.mail.close();
      gateways.operationsMail.close();
      await Promise.all([payments.close(), warehouse.close(), inbox.close()]);
      await database.close();
      await folder.remove();
    },
  };
}

/** The same functions without a `this`, which activities do not use: each can be passed on by itself. */
export type AsFunctions<Activities> = { readonly [Name in Extract<keyof Activities, string>]: Activities[Name] };

export type Shop = Awaited<ReturnType<typeof createShop>>;

/** @returns a shop for the tests of one file, closed after them */
export async function useShop(options: ShopOptions = {}): Promise<Shop> {
  const shop = await createShop(options);
  afterAll(() => shop.close());
  return shop;
}

// Many tests make activities fail; their warnings would hide what matters.
const logger = new DefaultLogger('ERROR');

/** Runs the first attempt of an activity, as a worker would. */
export const runActivity = <Args extends unknown[], Result>(
  activity: (...args: Args) => Promise<Result>,
  ...args: Args
): Promise<Result> => runAttempt(1, activity, ...args);

/** The same for a later attempt. */
export const runAttempt = <Args extends unknown[], Result>(
  attempt: number,
  activity: (...args: Args) => Promise<Result>,
  ...args: Args
): Promise<Result> => new MockActivityEnvironment({ attempt }, { logger }).run(activity, ...args);
