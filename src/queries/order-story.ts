import { and, asc, eq, getTableColumns, inArray, sql } from 'drizzle-orm';
import { orderWorkflowId } from '../contracts/ids.ts';
import type { CancellationStatus, OrderStatus } from '../contracts/statuses.ts';
import type { Database, Transaction } from '../db/client.ts';
import { disputes, emails, invoices, orderEvents, orderItems, orders, payments, refunds, sagaSteps, shipments } from '../db/schema.ts';
import { hasBegun } from '../records/saga-steps.ts';
import { readAttempts, withEarlier, withLost, type AttemptEvent, type AttemptHistory } from './attempts.ts';
import { callsAmong, type CallHistory } from './calls.ts';
import { readAtOnce, readSharedStory, type SharedStory } from './story.ts';

/**
 * A step or compensation of one generation. `actor` and `reason` are those of a person's decision. A reservation has the reason
 * why the order has to be reviewed, if it has to (see `activities/review.ts`).
 */
export type StepRecord = Omit<typeof sagaSteps.$inferSelect, 'result' | 'orderId' | 'keySerial'> & {
  actor: string | null;
  reason: string | null;
  /** What happened to its attempts, oldest first. */
  events: AttemptEvent[];
};

export type PaymentRecord = typeof payments.$inferSelect & {
  refunds: (typeof refunds.$inferSelect)[];
  disputes: (typeof disputes.$inferSelect)[];
};

type OrderEvent = typeof orderEvents.$inferSelect;

/** A status that an order has had. */
export type StatusEvent = Omit<OrderEvent, 'status' | 'cancellation'> & { status: OrderStatus };

/** A status that the cancellation of an order has had. */
export type CancellationEvent = Omit<OrderEvent, 'status' | 'cancellation'> & { cancellation: CancellationStatus };

/** Everything that is known of an order, in all its generations. Each list is oldest first. Amounts are minor units. */
export interface OrderStory extends SharedStory {
  order: typeof orders.$inferSelect;
  items: (typeof orderItems.$inferSelect)[];
  statuses: StatusEvent[];
  cancellations: CancellationEvent[];
  steps: StepRecord[];
  emailAttempts: AttemptHistory[];
  /** Calls that are neither a step nor a compensation. */
  calls: CallHistory[];
  payments: PaymentRecord[];
  shipments: (typeof shipments.$inferSelect)[];
  invoices: Omit<typeof invoices.$inferSelect, 'pdf'>[];
}

/** @returns the story of an order; undefined when it does not exist */
export async function readOrderStory(db: Database, id: string): Promise<OrderStory | undefined> {
  return await readAtOnce(db, async (tx) => {
    const [order] = await tx.select().from(orders).where(eq(orders.id, id));
    if (!order) return undefined;
    const { pdf: _pdf, ...invoiceColumns } = getTableColumns(invoices);
    const attempts = await readAttempts(tx, id);
    const steps = await stepsWith(attempts, tx, id);
    const shared = await readSharedStory(tx, orderWorkflowId(id), eq(emails.orderId, id));
    return {
      order,
      items: await tx.select().from(orderItems).where(eq(orderItems.orderId, id)).orderBy(asc(orderItems.position)),
      ...(await readOrderEvents(tx, id)),
      steps,
      emailAttempts: attempts.filter(({ kind }) => kind === 'email'),
      calls: callsAmong(attempts, { steps, failures: shared.failures }),
      payments: await readPayments(tx, id),
      shipments: await tx.select().from(shipments).where(eq(shipments.orderId, id)).orderBy(asc(shipments.generation)),
      invoices: await tx.select(invoiceColumns).from(invoices).where(eq(invoices.orderId, id)).orderBy(asc(invoices.number)),
      ...shared,
    };
  });
}

/** @returns every step and compensation of an order, in all generations, in order */
export const readSteps = async (db: Pick<Database, 'select'>, orderId: string): Promise<StepRecord[]> =>
  stepsWith(await readAttempts(db, orderId), db, orderId);

async function stepsWith(attempts: AttemptHistory[], db: Pick<Database, 'select'>, orderId: string): Promise<StepRecord[]> {
  const { result, orderId: _orderId, keySerial: _keySerial, ...columns } = getTableColumns(sagaSteps);
  const rows = await db
    .select({
      ...columns,
      actor: sql<string | null>`${result} ->> 'actor'`,
      reason: sql<string | null>`${result} ->> 'reason'`,
    })
    .from(sagaSteps)
    .where(and(eq(sagaSteps.orderId, orderId), hasBegun))
    .orderBy(asc(sagaSteps.generation), asc(sagaSteps.startedAt));
  const eventsOf = (row: Pick<StepRecord, 'generation' | 'step' | 'kind'>): AttemptEvent[] =>
    attempts.find(({ generation, step, kind }) => generation === row.generation && step === row.step && kind === row.kind)?.events ?? [];
  return rows.map((row) => {
    const compensation = rows.find(({ generation, step, kind }) => generation === row.generation && step === row.step && kind === 'compensation');
    const undoneFrom = row.kind === 'step' ? compensation?.startedAt : undefined;
    return { ...row, events: withEarlier(row, withLost(eventsOf(row), undoneFrom)) };
  });
}

/** @returns every status that an order and its cancellation have had, oldest first */
export async function readOrderEvents(
  db: Pick<Database, 'select'>,
  orderId: string,
): Promise<Pick<OrderStory, 'statuses' | 'cancellations'>> {
  const events = await db.select().from(orderEvents).where(eq(orderEvents.orderId, orderId)).orderBy(asc(orderEvents.id));
  return {
    statuses: events.flatMap(({ status, cancellation: _none, ...event }) => (status === null ? [] : [{ ...event, status }])),
    cancellations: events.flatMap(({ cancellation, status: _none, ...event }) =>
      cancellation === null ? [] : [{ ...event, cancellation }],
    ),
  };
}

async function readPayments(tx: Transaction, orderId: string): Promise<PaymentRecord[]> {
  const rows = await tx.select().from(payments).where(eq(payments.orderId, orderId)).orderBy(asc(payments.generation));
  const ids = rows.map(({ id }) => id);
  if (ids.length === 0) return [];
  const refunded = await tx.select().from(refunds).where(inArray(refunds.paymentId, ids)).orderBy(asc(refunds.createdAt));
  const disputed = await tx.select().from(disputes).where(inArray(disputes.paymentId, ids)).orderBy(asc(disputes.openedAt));
  return rows.map((payment) => ({
    ...payment,
    refunds: refunded.filter(({ paymentId }) => paymentId === payment.id),
    disputes: disputed.filter(({ paymentId }) => paymentId === payment.id),
  }));
}
