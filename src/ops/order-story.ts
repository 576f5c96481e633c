import type { Client } from '@temporalio/client';
import { asc, eq, getTableColumns, inArray, sql } from 'drizzle-orm';
import { orderWorkflowId } from '../contracts/ids.ts';
import type { Database, Transaction } from '../db/client.ts';
import { emails, invoices, orderEvents, orderItems, orders, payments, refunds, sagaSteps, shipments } from '../db/schema.ts';
import { readCommandsOf, type CommandRecord } from './commands.ts';
import { readFailuresOf, type FailureStory } from './failures.ts';
import { describeRun, readRunInput, type RunState } from './runs.ts';
import { askTemporal } from './temporal.ts';
import { orderDeadlines, whyOrderWaits } from './waiting.ts';

/** A step or compensation of one generation. `actor` and `reason` are those of a person's decision. */
export type StepRecord = Omit<typeof sagaSteps.$inferSelect, 'result' | 'orderId'> & {
  actor: string | null;
  reason: string | null;
};

export type PaymentRecord = typeof payments.$inferSelect & { refunds: (typeof refunds.$inferSelect)[] };

/** An email that the mail server has taken. */
export type EmailRecord = Pick<typeof emails.$inferSelect, 'template' | 'subject' | 'recipient' | 'sentAt'>;

/** Everything that is known of an order, in all its generations; each list the oldest first. Amounts are minor units. */
export interface OrderStory {
  order: typeof orders.$inferSelect;
  items: (typeof orderItems.$inferSelect)[];
  statuses: (typeof orderEvents.$inferSelect)[];
  steps: StepRecord[];
  payments: PaymentRecord[];
  shipments: (typeof shipments.$inferSelect)[];
  invoices: Omit<typeof invoices.$inferSelect, 'pdf'>[];
  emails: EmailRecord[];
  commands: CommandRecord[];
  failures: FailureStory[];
}

/** @returns the story of an order, all of it as of one moment; undefined when there is no such order */
export async function readOrderStory(db: Database, id: string): Promise<OrderStory | undefined> {
  return await db.transaction(async (tx) => await readAll(tx, id), {
    isolationLevel: 'repeatable read',
    accessMode: 'read only',
  });
}

async function readAll(tx: Transaction, id: string): Promise<OrderStory | undefined> {
  const [order] = await tx.select().from(orders).where(eq(orders.id, id));
  if (!order) return undefined;
  const { pdf: _pdf, ...invoiceColumns } = getTableColumns(invoices);
  const { result, orderId: _orderId, ...stepColumns } = getTableColumns(sagaSteps);
  return {
    order,
    items: await tx.select().from(orderItems).where(eq(orderItems.orderId, id)).orderBy(asc(orderItems.position)),
    statuses: await tx.select().from(orderEvents).where(eq(orderEvents.orderId, id)).orderBy(asc(orderEvents.id)),
    steps: await tx
      .select({
        ...stepColumns,
        actor: sql<string | null>`${result} ->> 'actor'`,
        reason: sql<string | null>`${result} ->> 'reason'`,
      })
      .from(sagaSteps)
      .where(eq(sagaSteps.orderId, id))
      .orderBy(asc(sagaSteps.generation), asc(sagaSteps.startedAt)),
    payments: await readPayments(tx, id),
    shipments: await tx.select().from(shipments).where(eq(shipments.orderId, id)).orderBy(asc(shipments.generation)),
    invoices: await tx.select(invoiceColumns).from(invoices).where(eq(invoices.orderId, id)).orderBy(asc(invoices.number)),
    emails: await tx
      .select({ template: emails.template, subject: emails.subject, recipient: emails.recipient, sentAt: emails.sentAt })
      .from(emails)
      .where(eq(emails.orderId, id))
      .orderBy(asc(emails.sentAt)),
    commands: await readCommandsOf(tx, orderWorkflowId(id)),
    failures: await readFailuresOf(tx, orderWorkflowId(id)),
  };
}

async function readPayments(tx: Transaction, orderId: string): Promise<PaymentRecord[]> {
  const rows = await tx.select().from(payments).where(eq(payments.orderId, orderId)).orderBy(asc(payments.generation));
  const ids = rows.map(({ id }) => id);
  const back =
    ids.length === 0
      ? []
      : await tx.select().from(refunds).where(inArray(refunds.paymentId, ids)).orderBy(asc(refunds.createdAt));
  return rows.map((payment) => ({ ...payment, refunds: back.filter(({ paymentId }) => paymentId === payment.id) }));
}

/** The story of an order with what its run is doing now. */
export interface ToldOrder {
  story: OrderStory;
  /** `unavailable`: Temporal did not answer, and `run` is null for that reason. */
  temporal: 'ok' | 'unavailable';
  run: RunState | null;
  /** A sentence that says what the order waits for; null when it has ended. */
  waitingFor: string | null;
}

/** @returns the story of an order with what Temporal knows of its run; undefined when there is no such order */
export async function tellOrder({ db, client }: { db: Database; client: Client }, id: string): Promise<ToldOrder | undefined> {
  const story = await readOrderStory(db, id);
  if (!story) return undefined;
  const workflowId = orderWorkflowId(id);
  const { temporal, answer } = await askTemporal(client, async () => {
    const [run, input] = await Promise.all([describeRun(client, workflowId), readRunInput(client, workflowId)]);
    return { run, deadlines: orderDeadlines(input) };
  });
  const waitingFor = whyOrderWaits(story, { run: answer?.run, deadlines: answer?.deadlines });
  return { story, temporal, run: answer?.run ?? null, waitingFor };
}
