import { desc, eq, inArray, sql, type SQL } from 'drizzle-orm';
import { email as emailField, id as idField } from '../contracts/fields.ts';
import type { Database } from '../db/client.ts';
import { bulkActions, failures, invoices, orders, payments, refunds, shipments, signups } from '../db/schema.ts';

/** Something that a search has found. */
export interface Found {
  kind: 'order' | 'signup' | 'failure' | 'bulk action';
  id: string;
  status: string;
  /** Whose order or signup it is, which step failed, or what the bulk action does. */
  about: string;
  createdAt: Date;
}

/** Of each kind. Who finds more has to filter the list. */
const MOST = 20;

/** The end of an order's id, as emails and pages show it: `1f0c3a9e`, `…1f0c3a9e`, `Re: Your order 1f0c3a9e is confirmed`. */
const SHORT_ID = /(?:^|\border\s+)[…#]?(?<end>[\da-f]{8})(?![\w-])/i;
/** An id within a link, a workflow id or a reference of the warehouse. */
const ID_WITHIN = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/i;
/** With or without the zeros in front. */
const INVOICE_NUMBER = /^(?:invoice\s+)?0*(?<number>[1-9]\d{0,8})$/i;

/**
 * Finds what a person can name, or paste from a mail: by id, by the short number of an order, by the email address of a customer, by an id of the payment
 * provider, by tracking number or by the number of an invoice.
 * @returns newest first within each kind; at most 20 of each
 */
export async function find(db: Database, text: string): Promise<Found[]> {
  const wanted = text.trim();
  if (emailField.safeParse(wanted).success) return await findByEmail(db, wanted);
  const id = idField.safeParse(ID_WITHIN.exec(wanted)?.[0]);
  if (id.success) return await findById(db, id.data);
  return await findByNumber(db, wanted);
}

const findById = (db: Database, id: string): Promise<Found[]> =>
  concurrently([
    findOrders(db, eq(orders.id, id)),
    findSignups(db, eq(signups.id, id)),
    db
      .select({ id: failures.id, status: failures.status, about: failures.step, createdAt: failures.firstSeenAt })
      .from(failures)
      .where(eq(failures.id, id))
      .then(ofKind('failure')),
    db
      .select({ id: bulkActions.id, status: bulkActions.state, about: bulkActions.action, createdAt: bulkActions.createdAt })
      .from(bulkActions)
      .where(eq(bulkActions.id, id))
      .then(ofKind('bulk action')),
  ]);

const findByEmail = (db: Database, email: string): Promise<Found[]> =>
  concurrently([
    findOrders(db, eq(sql`lower(${orders.customerEmail})`, email.toLowerCase())),
    findSignups(db, eq(sql`lower(${signups.email})`, email.toLowerCase())),
  ]);

/** A number may be of several kinds: eight digits are the end of an id, or an invoice, or what a carrier uses. */
async function findByNumber(db: Database, text: string): Promise<Found[]> {
  const end = SHORT_ID.exec(text)?.groups?.['end']?.toLowerCase();
  const number = INVOICE_NUMBER.exec(text)?.groups?.['number'];
  const payment = { id: payments.orderId };
  const ids = await concurrently([
    ...(end ? [db.select({ id: orders.id }).from(orders).where(eq(sql`right(${orders.id}::text, 8)`, end)).limit(MOST)] : []),
    ...(number ? [db.select({ id: invoices.orderId }).from(invoices).where(eq(invoices.number, Number(number)))] : []),
    db.select({ id: shipments.orderId }).from(shipments).where(eq(shipments.trackingNumber, text)).limit(MOST),
    db.select(payment).from(payments).where(eq(payments.providerPaymentId, text)),
    db.select(payment).from(refunds).innerJoin(payments, eq(payments.id, refunds.paymentId)).where(eq(refunds.providerRefundId, text)),
  ]);
  return ids.length === 0 ? [] : await findOrders(db, inArray(orders.id, ids.map(({ id }) => id)));
}

const findOrders = (db: Database, condition: SQL): Promise<Found[]> =>
  db
    .select({ id: orders.id, status: orders.status, about: orders.customerEmail, createdAt: orders.createdAt })
    .from(orders)
    .where(condition)
    .orderBy(desc(orders.id))
    .limit(MOST)
    .then(ofKind('order'));

const findSignups = (db: Database, condition: SQL): Promise<Found[]> =>
  db
    .select({ id: signups.id, status: signups.status, about: signups.email, createdAt: signups.createdAt })
    .from(signups)
    .where(condition)
    .orderBy(desc(signups.id))
    .limit(MOST)
    .then(ofKind('signup'));

const ofKind =
  (kind: Found['kind']) =>
  (rows: Omit<Found, 'kind'>[]): Found[] =>
    rows.map((row) => ({ kind, ...row }));

const concurrently = async <Row>(queries: PromiseLike<Row[]>[]): Promise<Row[]> => (await Promise.all(queries)).flat();
