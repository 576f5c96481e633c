import { eq, inArray, isNotNull } from 'drizzle-orm';
import { expect, inject } from 'vitest';
import { z } from 'zod';
import { orderWorkflowId } from '../../../src/contracts/ids.ts';
import { commands, emails, failures, idempotencyKeys, orders } from '../../../src/db/schema.ts';
import { createMailGateway } from '../../../src/gateways/smtp.ts';
import { createPaymentGateway } from '../../../src/gateways/stripe.ts';
import { createWarehouseGateway } from '../../../src/gateways/warehouse.ts';
import { inboxEntrySchema } from '../../../src/sandbox/simulators/inbox/messages.ts';
import { Ledger } from '../../../src/sandbox/simulators/ledger.ts';
import { paymentEntrySchema } from '../../../src/sandbox/simulators/payments/objects.ts';
import { warehouseEntrySchema } from '../../../src/sandbox/simulators/warehouse/shipments.ts';
import { webhookEntrySchemas } from '../../../src/sandbox/simulators/webhooks.ts';
import { replayRuns } from '../../../src/temporal/histories/replay.ts';
import { findRuns } from '../../../src/temporal/histories/sources.ts';
import { expectSound, invoiceNumbers, providerView, stockTotals, sum } from '../../support/audit.ts';
import { expectBooksBalanced } from '../../support/books.ts';
import { payloadKeys } from '../../support/payloads.ts';
import { endsOf, type PlacedOrder } from './load.ts';
import type { Aftermath } from './storm.ts';

/** Every order has ended as its customer's wish allows, and those after the storm have succeeded. */
export async function expectWishesGranted({ db, duringStorm, afterStorm, cancelledWhenParked }: Aftermath): Promise<void> {
  const statusOf = new Map((await db.select().from(orders)).map(({ id, status }) => [id, status]));
  const allowed = ({ orderId, wish }: PlacedOrder): readonly string[] =>
    // A parcel may have left although its order was parked. The cancellation then comes too late, as for a customer.
    cancelledWhenParked.has(orderId) ? ['cancelled', ...endsOf(wish)] : endsOf(wish);
  expect(
    duringStorm
      .filter((order) => !allowed(order).includes(statusOf.get(order.orderId) ?? 'missing'))
      .map(({ orderId, wish }) => `order ${orderId} of a customer who ${wish}: ${statusOf.get(orderId)}`),
  ).toEqual([]);
  expect(afterStorm.map(({ orderId }) => statusOf.get(orderId))).toEqual(afterStorm.map(() => 'completed'));
}

/** Each 202 has one order and one run, which has ended. There are no others, and nothing waits to be delivered. */
export async function expectOneRunForEachOrder({ db, temporal, duringStorm, afterStorm }: Aftermath): Promise<void> {
  const ids = [...duringStorm, ...afterStorm].map(({ orderId }) => orderId).toSorted();
  expect(new Set(ids).size).toBe(ids.length);
  expect((await db.select({ id: orders.id }).from(orders)).map(({ id }) => id).toSorted()).toEqual(ids);
  expect(await db.$count(idempotencyKeys)).toBe(ids.length);
  // The list of runs lags behind. An order's run ends after its last email.
  const listed = async (query: string) => (await findRuns(temporal, query, ids.length + 100)).map(({ workflowId }) => workflowId).toSorted();
  await expect.poll(() => listed(`${ORDER_RUNS} AND ExecutionStatus = "Running"`), PATIENTLY).toEqual([]);
  await expect.poll(() => listed(ORDER_RUNS), PATIENTLY).toEqual(ids.map(orderWorkflowId));
  expect(await db.$count(commands, inArray(commands.state, ['pending', 'set_aside']))).toBe(0);
}

/** Captured minus refunded is the total of each fulfilled order and 0 for every other. Payments, parcels and reservations match. */
export async function expectMoneyRight({ db, site, settled }: Aftermath): Promise<void> {
  const paid = readLedger(site.simulators.payments.file, paymentEntrySchema);
  const sent = readLedger(site.simulators.warehouse.file, warehouseEntrySchema);
  const books = { db, payments: { ledger: () => paid }, warehouse: { ledger: () => sent } };
  const all = await db.select().from(orders);
  for (const { id, status, amount } of all) {
    const { charges, refunded } = providerView(books, { orderId: id });
    expect(sum(charges) - refunded, `money kept for the ${status} order ${id}`).toBe(status === 'completed' ? amount : 0);
    // A parcel that had left was called back by hand, so the warehouse's ledger does not show it.
    if (!settled.has(id)) await expectSound(books, id);
  }
  const known = new Set(all.map(({ id }) => id));
  const charged = paid.flatMap((entry) => (entry.type === 'payment_intent.succeeded' ? [entry.metadata['orderId'] ?? ''] : []));
  expect(charged.filter((orderId) => !known.has(orderId)), 'charges for unknown orders').toEqual([]);
}

/** Whatever a customer pays or gets has a key that follows from the order, so that a repeated request is known as such. */
export function expectKeysOfOrders({ site }: Aftermath): void {
  const entries = [
    ...readLedger(site.simulators.payments.file, paymentEntrySchema),
    ...readLedger(site.simulators.warehouse.file, warehouseEntrySchema),
  ];
  const keys = entries.flatMap((entry) => ('idempotencyKey' in entry && entry.idempotencyKey !== null ? [entry.idempotencyKey] : []));
  expect(keys.length).toBeGreaterThan(0);
  expect(keys.filter((key) => !/^order:[0-9a-f-]{36}:1:[a-z:]+(:[0-9]+)?$/.test(key))).toEqual([]);
}

/** The reconciliation of the shop itself finds no difference between Postgres, Temporal, the provider and the warehouse. */
export async function expectNothingToReconcile({ db, temporal, site }: Aftermath): Promise<void> {
  const { secrets, simulators, smtpUrl } = site;
  const mail = createMailGateway({ url: smtpUrl, from: 'shop@holdfast.example' });
  const gateways = {
    payments: createPaymentGateway({ secretKey: secrets.stripeSecretKey, apiBase: simulators.payments.url }),
    warehouse: createWarehouseGateway({ url: simulators.warehouse.url, apiKey: secrets.warehouseApiKey }),
    mail,
    operationsMail: mail,
  };
  try {
    await expectBooksBalanced({ db, gateways }, temporal);
  } finally {
    mail.close();
  }
}

/** Available and reserved together are as many as before. */
export async function expectStockRight({ db, stockBefore }: Aftermath): Promise<void> {
  expect(await stockTotals(db)).toEqual(stockBefore);
}

/** Invoice numbers have no gap. */
export async function expectInvoicesRight({ db, afterStorm }: Aftermath): Promise<void> {
  const numbers = await invoiceNumbers(db);
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  expect(numbers.length).toBeGreaterThanOrEqual(afterStorm.length);
}

/** All copies of an email share one Message-ID: the inbox keeps one message for each. What was recorded as sent has arrived. */
export async function expectEmailsRight({ db, site }: Aftermath): Promise<void> {
  const arrived = readLedger(site.simulators.inbox.file, inboxEntrySchema).flatMap((entry) =>
    entry.type === 'message.received' ? entry.message.to.map((to) => `${to}: ${entry.message.subject}`) : [],
  );
  // Operations may get several of one subject: a reminder for each day.
  const toCustomers = arrived.filter((line) => /^(customer|late)-/.test(line));
  expect(toCustomers.filter((line, index) => toCustomers.indexOf(line) < index)).toEqual([]);
  const recorded = await db.select().from(emails).where(isNotNull(emails.orderId));
  const lines = recorded.map(({ recipient, subject }) => `${recipient}: ${subject}`);
  expect(lines.filter((line) => !arrived.includes(line))).toEqual([]);
}

/**
 * How a workflow task fails although the code is right; Temporal tries it again. Its worker was frozen in it, which the SDK takes
 * for an endless loop. Or the run wanted to end, and a message had come meanwhile.
 */
const HARMLESS = ['Script execution timed out after 5000ms', 'UnhandledCommand'];

/** No workflow task has failed, so no run was non-deterministic, and the code of now replays every history. */
export async function expectHistoriesReplay({ db, temporal }: Aftermath): Promise<void> {
  const runs = await findRuns(temporal, '', 100_000);
  const found: string[] = [];
  for await (const { run, history, divergence } of replayRuns(runs, inject('workflowBundlePath'), payloadKeys)) {
    if (divergence) found.push(`${run.name}: ${divergence.message}`);
    for (const { workflowTaskFailedEventAttributes: task } of history.events ?? []) {
      const message = task?.failure?.message ?? 'a workflow task failed';
      if (task && !HARMLESS.includes(message)) found.push(`${run.name}: ${message}`);
    }
  }
  expect(found).toEqual([]);
  expect(await db.$count(failures, eq(failures.kind, 'run'))).toBe(0);
}

const ORDER_RUNS = 'WorkflowType = "order"';
const PATIENTLY = { timeout: 60_000, interval: 500 };

const readLedger = <Entry extends { type: string }>(file: string, schema: z.ZodType<Entry>) =>
  new Ledger(file, z.union([schema, ...webhookEntrySchemas]), () => {}).entries;
