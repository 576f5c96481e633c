import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { eq, inArray, or } from 'drizzle-orm';
import { afterAll, afterEach, expect, inject, vi } from 'vitest';
import { createActivities } from '../../src/activities/index.ts';
import { createActivityInterceptor } from '../../src/activities/interceptors.ts';
import { orderPolicy, signupPolicy, loadWorkerConfig } from '../../src/config.ts';
import { alertWorkflowId, orderWorkflowId, shipmentReference, signupWorkflowId } from '../../src/contracts/ids.ts';
import { TASK_QUEUES } from '../../src/contracts/names.ts';
import { FINAL_ORDER_STATUSES, type OrderStatus, type SignupStatus } from '../../src/contracts/statuses.ts';
import { connectDatabase } from '../../src/db/client.ts';
import {
  alertGroups,
  emails,
  failureEvents,
  failures,
  orderEvents,
  orders,
  payments,
  sagaSteps,
  signups,
} from '../../src/db/schema.ts';
import { seedCatalogue } from '../../src/db/seed.ts';
import { createMailGateway } from '../../src/gateways/smtp.ts';
import { createPaymentGateway } from '../../src/gateways/stripe.ts';
import { createWarehouseGateway } from '../../src/gateways/warehouse.ts';
import type { Caller } from '../../src/contracts/caller.ts';
import { createDispatcher } from '../../src/dispatch/dispatcher.ts';
import type { OperatorAction } from '../../src/operate/action.ts';
import { cancelFailure, retryFailure } from '../../src/operate/failures.ts';
import { approveOrder, rejectOrder } from '../../src/operate/orders.ts';
import { acceptOrder, cancelOrder, type NewOrder } from '../../src/intake/orders.ts';
import { acceptSignup } from '../../src/intake/signups.ts';
import { createLogger } from '../../src/log.ts';
import { insertApiKey } from '../../src/records/api-keys.ts';
import { registerSearchAttributes } from '../../src/temporal/search-attributes.ts';
import { recordCarrierWebhook } from '../../src/intake/webhooks.ts';
import { startInbox } from '../../src/sandbox/simulators/inbox.ts';
import { startPaymentSimulator } from '../../src/sandbox/simulators/payments.ts';
import { startWarehouseSimulator } from '../../src/sandbox/simulators/warehouse.ts';
import { expectSound, stockTotals } from './audit.ts';
import { createTestDatabase } from './database.ts';
import { checkHistory } from './histories.ts';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

// Failing activities are what many of these tests are about.
Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR', forward: {} } } });

export type Rig = Awaited<ReturnType<typeof createRig>>;

export interface RigOptions {
  /** ms for one call to the outside; the gateways' own, unless given */
  gatewayTimeout?: number;
  /** variables of the worker that differ from their defaults */
  environment?: Record<string, string>;
}

/**
 * A whole shop under a clock that skips: real Postgres, real payment, warehouse and mail services (the simulators),
 * real workers and activities. Only the carrier is played by the test. One rig has one clock: its tests run one after another.
 */
export async function createRig(options: RigOptions = {}) {
  const patience = options.gatewayTimeout === undefined ? {} : { timeout: options.gatewayTimeout };
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-rig-'));
  const testDatabase = await createTestDatabase();
  const database = connectDatabase(testDatabase.url, { max: 20, name: 'rig' });
  const { db } = database;
  await seedCatalogue(db);
  const stockAtFirst = await stockTotals(db);
  const caller: Caller = { keyId: (await insertApiKey(db, { name: 'rig', role: 'operator' })).id, role: 'operator' };

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
    // While weeks are skipped, a digest each quarter of an hour would be all that a test does.
    ALERT_DIGEST_EVERY: '365 days',
    ...options.environment,
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
    client: { identity: 'rig' },
  });
  const { client } = environment;
  await registerSearchAttributes(environment.connection, 'default');
  const workers = await Promise.all(
    Object.values(TASK_QUEUES).map((taskQueue) =>
      Worker.create({
        connection: environment.nativeConnection,
        identity: 'rig',
        taskQueue,
        // The email queue has activities only.
        ...(taskQueue === TASK_QUEUES.email ? {} : { workflowBundle: { codePath: inject('workflowBundlePath') } }),
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
  let carrierEvents = 0;
  const request = () => ({ idempotencyKey: `rig-${(requests += 1)}`, requestHash: 'rig' });
  const started = new Set<string>();
  const golden = new Map<string, string>();

  async function act(action: OperatorAction, orderId: string, reason: string): Promise<void> {
    const open = (await rig.failures(orderId)).find(({ kind, status }) => kind === 'step' && status === 'open');
    if (!open) throw new Error('nothing is parked');
    await action.perform({ db }, open.id, { reason }, 'key:operator');
    await dispatcher.drain();
  }

  const rig = {
    db,
    client,
    caller,
    inbox,
    payments: simulatedPayments,
    warehouse: simulatedWarehouse,

    /** Takes an order and starts its workflow. @returns its id */
    async placeOrder(changes: Partial<NewOrder> = {}): Promise<string> {
      const orderId = await rig.acceptOrder(changes);
      await dispatcher.drain();
      return orderId;
    },

    /** Takes an order, and leaves it to `deliver` to start its workflow. @returns its id */
    async acceptOrder(changes: Partial<NewOrder> = {}): Promise<string> {
      const order: NewOrder = {
        customer: { email: 'ada@example.com', name: 'Ada Lovelace' },
        shippingAddress: { line1: '1 Dorset Street', city: 'London', postalCode: 'W1U 4EG', country: 'GB' },
        items: [{ sku: 'TEA-EARL-GREY', quantity: 2 }],
        payment: { method: 'pm_card_visa' },
        ...changes,
      };
      const { made } = await acceptOrder(db, caller, { ...request(), order });
      started.add(orderWorkflowId(made.id));
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
      await cancelOrder(db, caller, orderId, reason);
      await dispatcher.drain();
    },

    async decide(orderId: string, decision: 'approve' | 'reject', reason = 'checked'): Promise<void> {
      const action = decision === 'approve' ? approveOrder : rejectOrder;
      await action.perform({ db }, orderId, { reason }, 'key:operator');
      await dispatcher.drain();
    },

    /** Has the parked step of an order tried again, as an operator. */
    retry: (orderId: string, reason = 'it is back') => act(retryFailure, orderId, reason),

    /** Has a parked order give up, as an operator. */
    giveUp: (orderId: string, reason = 'not worth it') => act(cancelFailure, orderId, reason),

    /** Has the alert of a group among the histories that are replayed. @returns the id of its workflow */
    watchAlert(group: string): string {
      started.add(alertWorkflowId(group));
      return alertWorkflowId(group);
    },

    /** Lets the parcel leave the warehouse while its webhook is still on the way. */
    async shipSilently(orderId: string): Promise<void> {
      const reference = encodeURIComponent(shipmentReference({ orderId, generation: 1 }));
      const response = await fetch(`${simulatedWarehouse.url}/_sandbox/shipments/${reference}/shipped`, { method: 'POST' });
      expect(response.status).toBe(200);
    },

    /** Plays the carrier, by the webhook's own way in. */
    async carrier(orderId: string, type: 'shipped' | 'delivered' | 'rejected', generation = 1): Promise<void> {
      await recordCarrierWebhook(db, {
        eventId: `event-${(carrierEvents += 1)}`,
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

    /**
     * Waits, without skipping time, until a line of `saga` is there. Where a cancellation is to come while a call is
     * under way, wait for that call and not for the status before it: the test server loses a run whose cancellation
     * crosses the end of the call that it cancels.
     */
    step: (orderId: string, line: string) => waitFor(true, async () => (await rig.saga(orderId)).includes(line)),

    /** Waits, without skipping time, until an order has a failure like this. */
    failure: (orderId: string, like: Partial<typeof failures.$inferSelect>) =>
      vi.waitFor(async () => expect(await rig.failures(orderId)).toContainEqual(expect.objectContaining(like)), {
        timeout: 10_000,
        interval: 20,
      }),

    /** Waits, without skipping time, until an alert group is open or closed. */
    alertGroup: (group: string, open: boolean) =>
      waitFor(open, async () => {
        const [row] = await db.select().from(alertGroups).where(eq(alertGroups.group, group));
        return row?.open ?? false;
      }),

    /** Waits, without skipping time, until an email with this subject is in the inbox. */
    email: (to: string, subject: RegExp) =>
      waitFor(true, () => Promise.resolve(rig.emails(to).some((email) => subject.test(email)))),

    /** @returns the subjects sent to an address, oldest first */
    emails: (to: string): string[] =>
      inbox
        .messages({ to })
        .toSorted((a, b) => a.receivedAt.localeCompare(b.receivedAt))
        .map(({ subject }) => subject),

    /** @returns the templates of what an order or a signup has been sent, and operations about it, sorted: emails overtake each other */
    async sent(id: string): Promise<string[]> {
      const rows = await db
        .select({ template: emails.template })
        .from(emails)
        .where(or(eq(emails.orderId, id), eq(emails.signupId, id)));
      return rows.map(({ template }) => template).toSorted();
    },

    /** @returns the tokens in the verification emails of an address, oldest first */
    tokens: (to: string): string[] =>
      inbox
        .messages({ to })
        .toReversed()
        .flatMap(({ text }) => /^[\w-]{43}$/m.exec(text) ?? []),

    /** Lets time skip until an order has ended badly. @returns the type of what it failed with */
    async endedBadly(orderId: string): Promise<string | null | undefined> {
      const error: unknown = await rig.result(orderWorkflowId(orderId)).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(WorkflowFailedError);
      const cause = error instanceof WorkflowFailedError ? error.cause : undefined;
      return cause instanceof ApplicationFailure ? cause.type : undefined;
    },

    /** Lets time skip until an order has parked. */
    async parked(orderId: string): Promise<void> {
      for (let tries = 0; tries < 10 && (await rig.order(orderId)).status !== 'needs_attention'; tries += 1) {
        await environment.sleep(5 * 60_000);
      }
      await rig.orderStatus(orderId, 'needs_attention');
    },

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

    /** @returns `type by actor` of what has been done about the failures of an order, oldest first */
    async failureEvents(orderId: string): Promise<string[]> {
      const rows = await db
        .select({ type: failureEvents.type, actor: failureEvents.actor })
        .from(failureEvents)
        .innerJoin(failures, eq(failures.id, failureEvents.failureId))
        .where(eq(failures.orderId, orderId))
        .orderBy(failureEvents.id);
      return rows.map(({ type, actor }) => `${type} by ${actor}`);
    },

    /** @returns every status that an order has had */
    async statuses(orderId: string): Promise<OrderStatus[]> {
      const rows = await db.select().from(orderEvents).where(eq(orderEvents.orderId, orderId)).orderBy(orderEvents.id);
      return rows.map(({ status }) => status);
    },

    /** @returns how often the provider took money for an order, and the warehouse a parcel */
    timesDone(orderId: string): { charged: number; shipped: number } {
      const charged = simulatedPayments
        .ledger()
        .filter((entry) => entry.type === 'payment_intent.succeeded' && entry.metadata?.['orderId'] === orderId);
      const reference = shipmentReference({ orderId, generation: 1 });
      const shipped = simulatedWarehouse
        .ledger()
        .filter((entry) => entry.type === 'shipment.accepted' && entry.reference === reference);
      return { charged: charged.length, shipped: shipped.length };
    },

    /** @returns captured − refunded as Postgres has it, and as the provider has it */
    async money(orderId: string): Promise<{ ours: number; theirs: number }> {
      const rows = await db.select().from(payments).where(eq(payments.orderId, orderId));
      const ours = rows.reduce((total, { captured, refunded }) => total + captured - refunded, 0);
      return { ours, theirs: providerBalance(simulatedPayments.ledger(), orderId) };
    },

    /** @returns for how long each timer of a run ran before it fired, in ms */
    async timers(workflowId: string): Promise<number[]> {
      const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
      const startedAt = new Map<unknown, number>();
      const durations: number[] = [];
      for (const { eventTime, timerStartedEventAttributes, timerFiredEventAttributes } of events ?? []) {
        if (!eventTime) continue;
        if (timerStartedEventAttributes) startedAt.set(timerStartedEventAttributes.timerId, toMs(eventTime));
        const since = timerFiredEventAttributes && startedAt.get(timerFiredEventAttributes.timerId);
        if (since) durations.push(toMs(eventTime) - since);
      }
      return durations;
    },

    /** @returns the names of the signals that the last run of a workflow has got */
    async signals(workflowId: string): Promise<string[]> {
      const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
      return (events ?? []).flatMap((event) => event.workflowExecutionSignaledEventAttributes?.signalName ?? []);
    },

    /** Heals what a test has broken. */
    heal(): void {
      simulatedPayments.faults.clear();
      simulatedWarehouse.faults.clear();
      inbox.faults.clear();
    },

    /** Holds what became of the orders since the last replay against what must be true of them. */
    async checkBooks(): Promise<void> {
      expect(await stockTotals(db)).toEqual(stockAtFirst);
      const ended = await db.select().from(orders).where(inArray(orders.status, [...FINAL_ORDER_STATUSES]));
      for (const { id } of ended.filter((order) => started.has(orderWorkflowId(order.id)))) {
        await expectSound({ db, payments: simulatedPayments, warehouse: simulatedWarehouse }, id);
      }
    },

    /** Has a run kept as the golden history of its path: see `checkHistory`. @param path as in `order-delivered` */
    keepAs(path: string, workflowId: string): void {
      golden.set(workflowId, path);
    },

    /** Replays every run that was started since the last call, against the code at hand. */
    async replayHistories(): Promise<void> {
      for (const workflowId of started) {
        const history = await client.workflow.getHandle(workflowId).fetchHistory();
        await checkHistory({ path: golden.get(workflowId), workflowId, history });
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

/**
 * A rig for the tests of one file. After each of them what it broke is healed, the books are checked and the histories
 * that it made are replayed.
 */
export async function useRig(options: RigOptions = {}): Promise<Rig> {
  const rig = await createRig(options);
  afterAll(() => rig.close());
  afterEach(async () => {
    rig.heal();
    await rig.checkBooks();
    await rig.replayHistories();
  });
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

/**
 * @param duration ms of workflow time
 * @returns a matcher for it: the test server's clock also runs on while the parts work, for less than half a second
 */
export const about = (duration: number): unknown => expect.closeTo(duration, -3);

const toMs = ({ seconds, nanos }: { seconds?: unknown; nanos?: number | null }): number =>
  Number(seconds) * 1000 + Math.round((nanos ?? 0) / 1_000_000);

async function waitFor<Value>(wanted: Value, look: () => Promise<Value>): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    if ((await look()) === wanted) return;
    await sleep(20);
  }
  expect(await look()).toBe(wanted);
}
