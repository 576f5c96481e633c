import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { eq } from 'drizzle-orm';
import { expect, inject } from 'vitest';
import { createActivities } from '../../src/activities/index.ts';
import { createActivityInterceptor } from '../../src/activities/interceptors.ts';
import { orderPolicy, signupPolicy, loadWorkerConfig } from '../../src/config.ts';
import { orderWorkflowId, shipmentReference, signupWorkflowId } from '../../src/contracts/ids.ts';
import { TASK_QUEUES } from '../../src/contracts/names.ts';
import type { OrderStatus, SignupStatus } from '../../src/contracts/statuses.ts';
import { connectDatabase } from '../../src/db/client.ts';
import { failures, orders, payments, sagaSteps, signups } from '../../src/db/schema.ts';
import { seedCatalogue } from '../../src/db/seed.ts';
import { createMailGateway } from '../../src/gateways/smtp.ts';
import { createPaymentGateway } from '../../src/gateways/stripe.ts';
import { createWarehouseGateway } from '../../src/gateways/warehouse.ts';
import type { Caller } from '../../src/intake/caller.ts';
import { createDispatcher } from '../../src/intake/dispatcher.ts';
import { acceptOrder, decideApproval, requestCancellation, type NewOrder } from '../../src/intake/orders.ts';
import { acceptSignup } from '../../src/intake/signups.ts';
import { createLogger } from '../../src/log.ts';
import { createApiKey } from '../../src/ops/api-keys.ts';
import { registerSearchAttributes } from '../../src/ops/search-attributes.ts';
import { recordCarrierWebhook } from '../../src/intake/webhooks.ts';
import { startInbox } from '../../src/sandbox/simulators/inbox.ts';
import { startPaymentSimulator } from '../../src/sandbox/simulators/payments.ts';
import { startWarehouseSimulator } from '../../src/sandbox/simulators/warehouse.ts';
import { createTestDatabase } from './database.ts';
import { checkHistory } from './histories.ts';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

// Failing activities are what many of these tests are about.
Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR', forward: {} } } });

export type Rig = Awaited<ReturnType<typeof createRig>>;

/**
 * A whole shop under a clock that skips: real Postgres, real payment, warehouse and mail services (the simulators),
 * real workers and activities. Only the carrier is played by the test. One rig has one clock: its tests run one after another.
 * @param options `gatewayTimeout` in ms for one call to the outside; the gateways' own, unless given
 */
export async function createRig(options: { gatewayTimeout?: number } = {}) {
  const patience = options.gatewayTimeout === undefined ? {} : { timeout: options.gatewayTimeout };
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-rig-'));
  const testDatabase = await createTestDatabase();
  const database = connectDatabase(testDatabase.url, { max: 20, name: 'rig' });
  const { db } = database;
  await seedCatalogue(db);
  const caller: Caller = { keyId: (await createApiKey(db, { name: 'rig', role: 'operator' })).id, role: 'operator' };

  const simulatedPayments = await startPaymentSimulator({
    port: 0,
    ledgerFile: join(folder, 'payments.jsonl'),
    secretKey: 'sk_test_rig',
  });
  const simulatedWarehouse = await startWarehouseSimulator({
    port: 0,
    ledgerFile: join(folder, 'warehouse.jsonl'),
    apiKey: 'rig',
  });
  const inbox = await startInbox({ smtpPort: 0, httpPort: 0, file: join(folder, 'inbox.jsonl') });
  const config = loadWorkerConfig({
    DATABASE_URL: testDatabase.url,
    SMTP_URL: inbox.smtpUrl,
    STRIPE_API_BASE: simulatedPayments.url,
    STRIPE_SECRET_KEY: 'sk_test_rig',
    WAREHOUSE_URL: simulatedWarehouse.url,
    WAREHOUSE_API_KEY: 'rig',
  });
  const mail = createMailGateway({ url: config.SMTP_URL, from: config.MAIL_FROM, ...patience });
  const log = createLogger('rig', process.env['LOG_LEVEL'] ?? 'fatal');
  const activities = createActivities({
    db,
    payments: createPaymentGateway({ secretKey: config.STRIPE_SECRET_KEY, apiBase: config.STRIPE_API_BASE, ...patience }),
    warehouse: createWarehouseGateway({ url: config.WAREHOUSE_URL, apiKey: config.WAREHOUSE_API_KEY, ...patience }),
    mail,
    settings: {
      publicUrl: config.PUBLIC_URL,
      operationsEmail: config.OPERATIONS_EMAIL,
      onCallEmail: config.ONCALL_EMAIL,
    },
    log,
  });

  const environment = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: inject('testServerPath') } },
  });
  const { client } = environment;
  await registerSearchAttributes(environment.connection, 'default');
  const workers = await Promise.all(
    Object.values(TASK_QUEUES).map((taskQueue) =>
      Worker.create({
        connection: environment.nativeConnection,
        taskQueue,
        workflowBundle: { codePath: inject('workflowBundlePath') },
        activities,
        interceptors: { activity: [createActivityInterceptor(log)] },
      }),
    ),
  );
  const running = Promise.all(workers.map((worker) => worker.run()));
  const dispatcher = createDispatcher({
    db,
    client,
    log,
    policies: {
      order: orderPolicy(config),
      signup: signupPolicy(config),
      alertDigestEvery: config.ALERT_DIGEST_EVERY,
    },
    eagerStart: false,
  });

  let requests = 0;
  let events = 0;
  const request = () => ({ idempotencyKey: `rig-${(requests += 1)}`, requestHash: 'rig' });
  const started = new Set<string>();

  const rig = {
    db,
    client,
    caller,
    inbox,
    payments: simulatedPayments,
    warehouse: simulatedWarehouse,

    /** Takes an order and starts its workflow. @returns its id */
    async placeOrder(changes: Partial<NewOrder> = {}): Promise<string> {
      const order: NewOrder = {
        customer: { email: 'ada@example.com', name: 'Ada Lovelace' },
        shippingAddress: { line1: '1 Dorset Street', city: 'London', postalCode: 'W1U 4EG', country: 'GB' },
        items: [{ sku: 'TEA-EARL-GREY', quantity: 2 }],
        payment: { method: 'pm_card_visa' },
        ...changes,
      };
      const { made } = await acceptOrder(db, caller, { ...request(), order });
      started.add(orderWorkflowId(made.id));
      await dispatcher.drain();
      return made.id;
    },

    /** Takes a signup and starts its workflow. @returns its id */
    async placeSignup(email = `${crypto.randomUUID()}@example.com`): Promise<string> {
      const { made } = await acceptSignup(db, caller, { ...request(), signup: { email, name: 'Grace Hopper' } });
      started.add(signupWorkflowId(made.id));
      await dispatcher.drain();
      return made.id;
    },

    /** Delivers the commands that a test has caused by calling intake itself. */
    deliver: () => dispatcher.drain(),

    async cancel(orderId: string, reason = 'changed my mind'): Promise<void> {
      await requestCancellation(db, caller, orderId, reason);
      await dispatcher.drain();
    },

    async decide(orderId: string, decision: 'approve' | 'reject', reason = 'checked'): Promise<void> {
      await decideApproval(db, caller, orderId, { decision, reason });
      await dispatcher.drain();
    },

    /** Plays the carrier, by the webhook's own way in. */
    async carrier(orderId: string, type: 'shipped' | 'delivered' | 'rejected', generation = 1): Promise<void> {
      await recordCarrierWebhook(db, {
        eventId: `event-${(events += 1)}`,
        type: `shipment.${type}`,
        data: {
          reference: shipmentReference({ orderId, generation }),
          carrier: 'Parcel Post',
          trackingNumber: 'PP1',
          ...(type === 'rejected' ? { reason: 'damaged in store' } : {}),
        },
      });
      await dispatcher.drain();
    },

    /** Lets workflow time pass, in no time. @param duration ms */
    skip: (duration: number) => environment.sleep(duration),

    /** Waits, without skipping time, until an order is in a status. */
    orderStatus: (orderId: string, status: OrderStatus) =>
      waitFor(status, async () => (await rig.order(orderId)).status),

    /** Waits, without skipping time, until a signup is in a status. */
    signupStatus: (signupId: string, status: SignupStatus) =>
      waitFor(status, async () => (await rig.signup(signupId)).status),

    /** Waits, without skipping time, until an email with this subject is in the inbox. */
    email: (to: string, subject: RegExp) =>
      waitFor(true, () => Promise.resolve(rig.emails(to).some((email) => subject.test(email)))),

    /** @returns the subjects sent to an address, oldest first */
    emails: (to: string): string[] =>
      inbox
        .messages({ to })
        .toSorted((a, b) => a.receivedAt.localeCompare(b.receivedAt))
        .map(({ subject }) => subject),

    /** Lets time skip until the run ends. @returns its result; throws what it ended with */
    result: (workflowId: string): Promise<unknown> => client.workflow.getHandle(workflowId).result(),

    async order(orderId: string) {
      const [order] = await db.select().from(orders).where(eq(orders.id, orderId));
      if (!order) throw new Error('no such order');
      return order;
    },

    async signup(signupId: string) {
      const [signup] = await db.select().from(signups).where(eq(signups.id, signupId));
      if (!signup) throw new Error('no such signup');
      return signup;
    },

    /** @returns `step: state` of everything done and undone, in order of beginning */
    async saga(orderId: string): Promise<string[]> {
      const rows = await db
        .select()
        .from(sagaSteps)
        .where(eq(sagaSteps.orderId, orderId))
        .orderBy(sagaSteps.generation, sagaSteps.startedAt);
      return rows.map(({ kind, step, state }) => `${kind === 'step' ? '' : 'undo '}${step}: ${state}`);
    },

    /** @returns the failures of an order, oldest first */
    failures: (orderId: string) =>
      db.select().from(failures).where(eq(failures.orderId, orderId)).orderBy(failures.firstSeenAt),

    /** @returns captured − refunded as Postgres has it, and as the provider has it */
    async money(orderId: string): Promise<{ ours: number; theirs: number }> {
      const rows = await db.select().from(payments).where(eq(payments.orderId, orderId));
      const ours = rows.reduce((total, { captured, refunded }) => total + captured - refunded, 0);
      return { ours, theirs: providerBalance(simulatedPayments.ledger(), orderId) };
    },

    /** @returns how long after its start each timer of a run fired, in ms of the workflow's own clock */
    async timers(workflowId: string): Promise<number[]> {
      const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
      const times = (events ?? []).flatMap((event) => {
        const { eventTime, timerFiredEventAttributes } = event;
        return timerFiredEventAttributes && eventTime ? [toMs(eventTime)] : [];
      });
      const first = events?.[0]?.eventTime;
      return first ? times.map((time) => time - toMs(first)) : [];
    },

    /** Replays every run that was started since the last call, against the code at hand. */
    async replayHistories(name: string): Promise<void> {
      for (const workflowId of started) {
        const history = await client.workflow.getHandle(workflowId).fetchHistory();
        await checkHistory({ name, workflowId, history });
      }
      started.clear();
    },

    async close(): Promise<void> {
      for (const worker of workers) worker.shutdown();
      await running;
      await environment.teardown();
      mail.close();
      await Promise.all([simulatedPayments.close(), simulatedWarehouse.close(), inbox.close()]);
      await database.close();
      await testDatabase.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return rig;
}

interface LedgerEntry {
  type: string;
  [field: string]: unknown;
}

/** @returns succeeded payments less refunds of one order, from the provider's own ledger */
function providerBalance(ledger: readonly LedgerEntry[], orderId: string): number {
  const intents = new Map<unknown, number>();
  for (const entry of ledger) {
    const { type, metadata, paymentIntent, amount } = entry;
    const isOurs = typeof metadata === 'object' && metadata !== null && Object.values(metadata).includes(orderId);
    if (type === 'payment_intent.succeeded' && isOurs) intents.set(paymentIntent, Number(amount));
    if (type === 'refund.created' && intents.has(paymentIntent)) {
      intents.set(paymentIntent, (intents.get(paymentIntent) ?? 0) - Number(amount));
    }
  }
  return [...intents.values()].reduce((total, amount) => total + amount, 0);
}

const toMs = ({ seconds, nanos }: { seconds?: unknown; nanos?: number | null }): number =>
  Number(seconds) * 1000 + Math.round((nanos ?? 0) / 1_000_000);

async function waitFor<Value>(wanted: Value, look: () => Promise<Value>): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    if ((await look()) === wanted) return;
    await sleep(20);
  }
  expect(await look()).toBe(wanted);
}
