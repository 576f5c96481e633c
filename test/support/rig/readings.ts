import { tsToMs } from '@temporalio/common/lib/time.js';
import { eq, or } from 'drizzle-orm';
import type { CancellationStatus, OrderStatus } from '../../../src/contracts/statuses.ts';
import { emails, failureEvents, failures, orderEvents, orders, payments, sagaSteps, signups } from '../../../src/db/schema.ts';
import { providerView, sum, warehouseView } from '../audit.ts';
import type { RigParts } from './temporal.ts';

export type Readings = ReturnType<typeof createReadings>;

/** What a test reads: from the database, from the simulators, and from the histories of its workflows. */
export function createReadings({ shop, client }: RigParts) {
  const { db, inbox } = shop;

  async function historyOf(workflowId: string) {
    const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
    return events ?? [];
  }

  return {
    async order(orderId: string) {
      const [order] = await db.select().from(orders).where(eq(orders.id, orderId));
      if (!order) throw new Error(`No order ${orderId}.`);
      return order;
    },

    async signup(signupId: string) {
      const [signup] = await db.select().from(signups).where(eq(signups.id, signupId));
      if (!signup) throw new Error(`No signup ${signupId}.`);
      return signup;
    },

    /** @returns every status that an order has had */
    async statuses(orderId: string): Promise<OrderStatus[]> {
      const rows = await db.select().from(orderEvents).where(eq(orderEvents.orderId, orderId)).orderBy(orderEvents.id);
      return rows.flatMap(({ status }) => status ?? []);
    },

    /** @returns every status that the cancellation of an order has had */
    async cancellations(orderId: string): Promise<CancellationStatus[]> {
      const rows = await db.select().from(orderEvents).where(eq(orderEvents.orderId, orderId)).orderBy(orderEvents.id);
      return rows.flatMap(({ cancellation }) => cancellation ?? []);
    },

    /** @returns the address of the customer of an order */
    async addressOf(orderId: string): Promise<string> {
      const [order] = await db.select({ email: orders.customerEmail }).from(orders).where(eq(orders.id, orderId));
      if (!order) throw new Error(`No order ${orderId}.`);
      return order.email;
    },

    /** @returns `step: state` of each step and each compensation, in the order in which they started */
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

    /** @returns `type by actor` of each event of the failures of an order, oldest first */
    async failureEvents(orderId: string): Promise<string[]> {
      const rows = await db
        .select({ type: failureEvents.type, actor: failureEvents.actor })
        .from(failureEvents)
        .innerJoin(failures, eq(failures.id, failureEvents.failureId))
        .where(eq(failures.orderId, orderId))
        .orderBy(failureEvents.id);
      return rows.map(({ type, actor }) => `${type} by ${actor}`);
    },

    /** @returns captured − refunded of an order, in our database and at the provider */
    async money(orderId: string): Promise<{ ours: number; theirs: number }> {
      const rows = await db.select().from(payments).where(eq(payments.orderId, orderId));
      const { charges, refunded } = providerView(shop, { orderId });
      return {
        ours: rows.reduce((total, payment) => total + payment.captured - payment.refunded, 0),
        theirs: sum(charges) - refunded,
      };
    },

    /** @returns how often the provider charged an order, and how many parcels the warehouse accepted for it */
    timesDone: (orderId: string): { charged: number; shipped: number } => ({
      charged: providerView(shop, { orderId }).charges.length,
      shipped: warehouseView(shop, { orderId, generation: 1 }).accepted,
    }),

    /** @returns the subjects of the emails to an address, oldest first */
    emails: (to: string): string[] =>
      inbox
        .messages({ to })
        .toSorted((a, b) => a.receivedAt.localeCompare(b.receivedAt))
        .map(({ subject }) => subject),

    /** @returns the templates of all emails about an order or a signup, sorted: emails overtake each other */
    async sent(id: string): Promise<string[]> {
      const rows = await db
        .select({ template: emails.template })
        .from(emails)
        .where(or(eq(emails.orderId, id), eq(emails.signupId, id)));
      return rows.map(({ template }) => template).toSorted();
    },

    /** @returns the tokens in the verification emails to an address, oldest first */
    tokens: (to: string): string[] =>
      inbox
        .messages({ to })
        .toReversed()
        .flatMap(({ text }) => /^[\w-]{43}$/m.exec(text) ?? []),

    /** @returns how many ms each timer of a run took to fire */
    async timers(workflowId: string): Promise<number[]> {
      const startedAt = new Map<unknown, number>();
      const durations: number[] = [];
      for (const { eventTime, timerStartedEventAttributes: start, timerFiredEventAttributes: end } of await historyOf(workflowId)) {
        if (start) startedAt.set(start.timerId, tsToMs(eventTime));
        const since = end && startedAt.get(end.timerId);
        if (since) durations.push(tsToMs(eventTime) - since);
      }
      return durations;
    },

    /** @returns the queues on which a run has scheduled activities of this name */
    queuesOf: async (workflowId: string, activity: string): Promise<Set<string>> =>
      new Set(
        (await historyOf(workflowId)).flatMap(({ activityTaskScheduledEventAttributes: scheduled }) =>
          scheduled?.activityType?.name === activity ? (scheduled.taskQueue?.name ?? []) : [],
        ),
      ),

    /** @returns the names of the signals that the last run of a workflow has received */
    signals: async (workflowId: string): Promise<string[]> =>
      (await historyOf(workflowId)).flatMap((event) => event.workflowExecutionSignaledEventAttributes?.signalName ?? []),
  };
}
