import { and, asc, desc, eq, gte, inArray, lt, notInArray, sql, type SQL } from 'drizzle-orm';
import { z } from 'zod';
import { ownerFilter, type Caller } from '../contracts/caller.ts';
import { email as emailField, id as idField, instant, type Address } from '../contracts/fields.ts';
import { notFound } from '../contracts/request-error.ts';
import { MONEY_FAILURE_KINDS, ORDER_STATUSES, type FailureKind, type OrderStatus } from '../contracts/statuses.ts';
import type { Database } from '../db/client.ts';
import { failures, invoices, orderEvents, orderItems, orders, payments, shipments } from '../db/schema.ts';
import { countRows, MOST_COUNTED } from './counting.ts';

/** An order with all that belongs to its present generation. Amounts are minor units. */
export interface OrderRecord {
  order: typeof orders.$inferSelect;
  items: (typeof orderItems.$inferSelect)[];
  payment: typeof payments.$inferSelect | null;
  shipment: typeof shipments.$inferSelect | null;
  invoice: { number: number; voidedAt: Date | null } | null;
  /** What it is parked on or what keeps failing; undefined when nothing does. */
  blockedBy: typeof failures.$inferSelect | undefined;
}

/** Selects orders. `email` is the exact address, in any case. */
export const orderSearchSchema = z.strictObject({
  id: idField.optional(),
  email: emailField.optional(),
  status: z.enum(ORDER_STATUSES).optional().meta({ description: 'The present status' }),
  reached: z.enum(ORDER_STATUSES).optional().meta({ description: 'A status that it has had. With `from` and `to`: that it reached then' }),
  from: instant.optional().meta({ description: 'Accepted, or with `reached` reached that status, at or after' }),
  to: instant.optional().meta({ description: 'Accepted, or with `reached` reached that status, before' }),
});
export type OrderSearch = z.infer<typeof orderSearchSchema>;

/** A part of what a search finds. */
interface Page {
  /** The id of the last order of the previous page. */
  cursor?: string | undefined;
  /** How many are read, newest first, with no other condition. */
  limit?: number;
}

/** @returns the condition on `orders` for a search */
export function orderCondition(search: OrderSearch, { cursor, limit }: Page = {}): SQL | undefined {
  const { id, email, status, ...history } = search;
  const { reached } = search;
  const isOnlyReached = Object.entries(search).every(([name, value]) => name === 'reached' || value === undefined);
  if (reached && isOnlyReached && limit !== undefined) return isAmongNewest(reached, { cursor, limit });
  return and(
    id === undefined ? undefined : eq(orders.id, id),
    email === undefined ? undefined : eq(sql`lower(${orders.customerEmail})`, email.toLowerCase()),
    status && eq(orders.status, status),
    hasReached(history),
    cursor === undefined ? undefined : lt(orders.id, cursor),
  );
}

/**
 * Whether an order is among the newest that have had a status. Postgres would look at each order until it has found enough: at all of
 * them for a status that few have had, or that none of the last weeks has had yet.
 */
const isAmongNewest = (status: OrderStatus, { cursor, limit }: Required<Page>): SQL => sql`${orders.id} in (
  select distinct ${orderEvents.orderId} from ${orderEvents}
  where ${and(eq(orderEvents.status, status), cursor === undefined ? undefined : lt(orderEvents.orderId, cursor))}
  order by ${orderEvents.orderId} desc limit ${limit})`;

/** A restarted order is accepted again, and may reach a status again. */
function hasReached({ reached, from, to }: Pick<OrderSearch, 'reached' | 'from' | 'to'>): SQL | undefined {
  if (reached === undefined && from === undefined && to === undefined) return undefined;
  const event = and(
    eq(orderEvents.orderId, orders.id),
    eq(orderEvents.status, reached ?? 'accepted'),
    from === undefined ? undefined : gte(orderEvents.at, new Date(from)),
    to === undefined ? undefined : lt(orderEvents.at, new Date(to)),
  );
  return sql`exists (select from ${orderEvents} where ${event})`;
}

/** @returns the condition for the orders that a caller may see */
export function mayRead(caller: Caller): SQL | undefined {
  const owner = ownerFilter(caller);
  return owner ? eq(orders.owner, owner) : undefined;
}

/** @returns matching order rows, newest first; one more than `limit` when there is a next page */
export async function searchOrders(
  db: Database,
  search: OrderSearch,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<(typeof orders.$inferSelect)[]> {
  return await db
    .select()
    .from(orders)
    .where(orderCondition(search, { cursor, limit: limit + 1 }))
    .orderBy(desc(orders.id))
    .limit(limit + 1);
}

/** @returns how many orders match; more than `most` if there are more */
export async function countOrders(db: Database, search: OrderSearch, most = MOST_COUNTED): Promise<number> {
  const limit = most + 1;
  return await countRows(db, db.select({ id: orders.id }).from(orders).where(orderCondition(search, { limit })).limit(limit));
}

/** @throws RequestError `not_found` when it does not exist, or the caller may not see it */
export async function requireOrder(db: Database, caller: Caller, id: string): Promise<void> {
  const found = await db
    .select({ id: orders.id })
    .from(orders)
    .where(and(eq(orders.id, id), mayRead(caller)));
  if (found.length === 0) throw notFound('order');
}

/** @returns the status of an order; undefined when it does not exist */
export async function readOrderStatus(db: Database, id: string): Promise<OrderStatus | undefined> {
  const [order] = await db.select({ status: orders.status }).from(orders).where(eq(orders.id, id));
  return order?.status;
}

/** Why the cancellation of an order was requested, and by whom. Both are those of its present generation. */
export type CancellationRequest = Pick<typeof orders.$inferSelect, 'generation' | 'cancellationReason' | 'cancellationActor'>;

/** @returns undefined when the order does not exist */
export async function readCancellationRequest(db: Database, id: string): Promise<CancellationRequest | undefined> {
  const { generation, cancellationReason, cancellationActor } = orders;
  const [order] = await db.select({ generation, cancellationReason, cancellationActor }).from(orders).where(eq(orders.id, id));
  return order;
}

/** @returns where the parcel of an order goes; undefined when the order does not exist */
export async function readShippingAddress(db: Database, id: string): Promise<Address | undefined> {
  const { line1, city, postalCode, country } = orders;
  const [found] = await db.select({ line1, city, postalCode, country }).from(orders).where(eq(orders.id, id));
  return found;
}

/** @throws RequestError `not_found` when it does not exist, or the caller may not see it */
export async function readOrder(db: Database, caller: Caller, id: string): Promise<OrderRecord> {
  const [order] = await readOrders(db, { where: and(eq(orders.id, id), mayRead(caller)), limit: 1 });
  if (!order) throw notFound('order');
  return order;
}

/** @returns an order for whoever has its signed link; undefined when it does not exist */
export const readLinkedOrder = async (db: Database, id: string): Promise<OrderRecord | undefined> =>
  (await readOrders(db, { where: eq(orders.id, id), limit: 1 }))[0];

/** @returns orders with all that belongs to them, newest first, in at most three queries */
export async function readOrders(
  db: Database,
  { where, limit }: { where: SQL | undefined; limit: number },
): Promise<OrderRecord[]> {
  const rows = await db
    .select({
      order: orders,
      payment: payments,
      shipment: shipments,
      invoice: { number: invoices.number, voidedAt: invoices.voidedAt },
    })
    .from(orders)
    .leftJoin(payments, and(eq(payments.orderId, orders.id), eq(payments.generation, orders.generation)))
    .leftJoin(shipments, and(eq(shipments.orderId, orders.id), eq(shipments.generation, orders.generation)))
    .leftJoin(invoices, and(eq(invoices.orderId, orders.id), eq(invoices.generation, orders.generation)))
    .where(where)
    .orderBy(desc(orders.id))
    .limit(limit);
  const ids = rows.map(({ order }) => order.id);
  const stuck = rows.filter(({ order }) => order.status === 'needs_attention').map(({ order }) => order.id);
  const [items, blocking] = await Promise.all([readItems(db, ids), readBlocking(db, stuck)]);
  return rows.map((row) => ({
    ...row,
    items: items.filter(({ orderId }) => orderId === row.order.id),
    // The newest, which is last.
    blockedBy: blocking.findLast(({ orderId }) => orderId === row.order.id),
  }));
}

async function readItems(db: Database, ids: string[]) {
  if (ids.length === 0) return [];
  return await db.select().from(orderItems).where(inArray(orderItems.orderId, ids)).orderBy(asc(orderItems.position));
}

/** What is for operators, and does not block the order: an email, a late or unexpected parcel, a difference in the books, money at the provider. */
const HARMLESS: FailureKind[] = ['email', 'late_shipment', 'unexpected_shipment', 'discrepancy', ...MONEY_FAILURE_KINDS];

/** @returns what blocks orders, oldest first */
export async function readBlocking(db: Database, ids: string[]): Promise<(typeof failures.$inferSelect)[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .select({ failure: failures })
    .from(failures)
    .innerJoin(orders, and(eq(orders.id, failures.orderId), eq(orders.generation, failures.generation)))
    .where(and(inArray(orders.id, ids), eq(failures.status, 'open'), notInArray(failures.kind, HARMLESS)))
    .orderBy(asc(failures.lastSeenAt));
  return rows.map(({ failure }) => failure);
}

/** What an invoice shows. */
export interface InvoiceRecord {
  number: number;
  issuedAt: Date;
  order: typeof orders.$inferSelect;
  items: (typeof orderItems.$inferSelect)[];
  /** As it was stored by an earlier version. */
  pdf: Uint8Array | null;
}

/** @returns the invoice of an order. @throws RequestError `not_found` when it has none, or the caller may not see it */
export async function readInvoice(db: Database, caller: Caller, orderId: string): Promise<InvoiceRecord> {
  const { number, issuedAt, pdf } = invoices;
  const [invoice] = await db
    .select({ number, issuedAt, pdf, order: orders })
    .from(invoices)
    .innerJoin(orders, and(eq(orders.id, invoices.orderId), eq(orders.generation, invoices.generation)))
    .where(and(eq(orders.id, orderId), mayRead(caller)));
  if (!invoice) throw notFound('invoice');
  const items = await db
    .select()
    .from(orderItems)
    .where(eq(orderItems.orderId, invoice.order.id))
    .orderBy(asc(orderItems.position));
  return { ...invoice, items };
}
