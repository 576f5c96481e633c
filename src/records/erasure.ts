import { and, eq, inArray, isNotNull, lt, ne, sql, type SQL } from 'drizzle-orm';
import type { AnyPgColumn } from 'drizzle-orm/pg-core';
import { FINAL_ORDER_STATUSES, FINAL_SIGNUP_STATUSES } from '../contracts/statuses.ts';
import type { Transaction } from '../db/client.ts';
import { emails, failureEvents, failures, idempotencyKeys, invoices, orders, shipments, signups } from '../db/schema.ts';

/** What stands in place of a name, and of each line of an address. */
const ERASED = 'erased';

const ERASED_ADDRESS = { line1: ERASED, city: ERASED, postalCode: ERASED };

/**
 * The address of an erased row. It never receives an email (RFC 2606), and is unlike that of any other row, since an address can
 * have one open signup only.
 */
const addressFor = (id: string) => `erased-${id}@erased.invalid`;
const addressOfErased = (id: AnyPgColumn) => sql`'erased-' || ${id} || '@erased.invalid'`;

/** @returns whether the person behind an order was erased */
export const isErased = ({ id, customerEmail }: { id: string; customerEmail: string }): boolean => customerEmail === addressFor(id);

/** The last email of an order or a signup is sent after it has ended. By then it is sent, or its failure is open. */
const emailsAreDone = (endedAt: AnyPgColumn) => lt(endedAt, sql`now() - interval '15 minutes'`);

/** While something about a row needs attention, somebody may have to write to its person. */
const needsNoAttention = (row: SQL) => sql`not exists (select from ${failures} where ${row} and status in ('open', 'retrying'))`;

/** Orders that ended a while ago, need no attention, and are not erased yet. */
export const isErasableOrder = and(
  inArray(orders.status, FINAL_ORDER_STATUSES),
  emailsAreDone(orders.updatedAt),
  ne(orders.customerEmail, addressOfErased(orders.id)),
  needsNoAttention(sql`order_id = ${orders.id}`),
);

/** Ended signups, under the same conditions. */
export const isErasableSignup = and(
  inArray(signups.status, FINAL_SIGNUP_STATUSES),
  emailsAreDone(signups.updatedAt),
  ne(signups.email, addressOfErased(signups.id)),
  needsNoAttention(sql`signup_id = ${signups.id}`),
);

const isInvoiced = sql<boolean>`exists (select from ${invoices} where order_id = orders.id and voided_at is null)`;

/** What erasing has replaced. */
export interface ErasedOrders {
  orders: number;
  /** Of these: their invoices keep name and address of the recipient, as accounting requires. */
  invoices: number;
}

/**
 * Replaces the personal data of orders: in their rows, in the records of their emails, in what customers wrote, and in the
 * stored answers to requests. Amounts, items, countries and invoices stay.
 * @param which among the erasable ones
 * @param limit at most how many
 */
export async function eraseOrders(tx: Transaction, which: SQL | undefined, limit?: number): Promise<ErasedOrders> {
  const query = tx
    .select({ id: orders.id, owner: orders.owner, email: orders.customerEmail, createdAt: orders.createdAt, isInvoiced })
    .from(orders)
    .where(and(which, isErasableOrder))
    .orderBy(orders.id)
    .for('update');
  const chosen = await (limit === undefined ? query : query.limit(limit));
  for (const { id, owner, email, createdAt, isInvoiced: keepsRecipient } of chosen) {
    await tx
      .update(orders)
      .set({
        customerEmail: addressFor(id),
        paymentMethod: ERASED,
        cancellationReason: sql`case when cancellation_reason is not null then ${ERASED} end`,
        shipmentRejectionReason: null,
        ...(!keepsRecipient && { customerName: ERASED, ...ERASED_ADDRESS }),
      })
      .where(eq(orders.id, id));
    await tx.update(shipments).set({ trackingNumber: null }).where(and(eq(shipments.orderId, id), isNotNull(shipments.trackingNumber)));
    // Not those to the shop's own people.
    await tx.update(emails).set({ recipient: addressFor(id) }).where(and(eq(emails.orderId, id), eq(emails.recipient, email)));
    await tx
      .update(failureEvents)
      .set({ reason: ERASED })
      .where(
        and(
          eq(failureEvents.actor, `key:${owner}`),
          sql`${failureEvents.failureId} in (select id from ${failures} where order_id = ${id})`,
        ),
      );
    const person = { customer: { email: addressFor(id), name: ERASED } };
    await eraseAnswer(tx, { owner, location: `/v1/orders/${id}`, createdAt }, sql`
      body || ${JSON.stringify(person)}::jsonb
        || jsonb_build_object('shippingAddress', body -> 'shippingAddress' || ${JSON.stringify(ERASED_ADDRESS)}::jsonb)`);
  }
  return { orders: chosen.length, invoices: chosen.filter((order) => order.isInvoiced).length };
}

/**
 * Replaces the recipients of invoices, once accounting no longer needs them. @returns how many
 * @param which among the orders whose other data is erased
 * @param limit at most how many
 */
export async function eraseRecipients(tx: Transaction, which: SQL, limit: number): Promise<number> {
  const chosen = tx
    .select({ id: orders.id })
    .from(orders)
    .where(and(which, eq(orders.customerEmail, addressOfErased(orders.id)), ne(orders.customerName, ERASED)))
    .limit(limit);
  const { rowCount } = await tx
    .update(orders)
    .set({ customerName: ERASED, ...ERASED_ADDRESS })
    .where(inArray(orders.id, chosen));
  return rowCount ?? 0;
}

/**
 * Replaces the personal data of signups, like `eraseOrders`. @returns how many
 * @param which among the erasable ones
 * @param limit at most how many
 */
export async function eraseSignups(tx: Transaction, which: SQL | undefined, limit?: number): Promise<number> {
  const query = tx
    .select({ id: signups.id, owner: signups.owner, createdAt: signups.createdAt })
    .from(signups)
    .where(and(which, isErasableSignup))
    .orderBy(signups.id)
    .for('update');
  const chosen = await (limit === undefined ? query : query.limit(limit));
  for (const { id, owner, createdAt } of chosen) {
    const person = { email: addressFor(id), name: ERASED };
    await tx.update(signups).set(person).where(eq(signups.id, id));
    await tx.update(emails).set({ recipient: addressFor(id) }).where(eq(emails.signupId, id));
    await eraseAnswer(tx, { owner, location: `/v1/signups/${id}`, createdAt }, sql`body || ${JSON.stringify(person)}::jsonb`);
  }
  return chosen.length;
}

/**
 * Replaces personal data in the stored answer to a request, and its hash, from which the data could be guessed. The request
 * is refused if it is ever repeated, and so still does nothing twice.
 */
async function eraseAnswer(
  tx: Transaction,
  { owner, location, createdAt }: { owner: string; location: string; createdAt: Date },
  body: SQL,
): Promise<void> {
  // A day around: the two times come from two clocks. There is an index on the age, and none on the location.
  await tx
    .update(idempotencyKeys)
    .set({ requestHash: ERASED, body })
    .where(
      and(
        eq(idempotencyKeys.owner, owner),
        eq(idempotencyKeys.location, location),
        sql`${idempotencyKeys.createdAt} between ${createdAt.toISOString()}::timestamptz - interval '1 day' and ${createdAt.toISOString()}::timestamptz + interval '1 day'`,
      ),
    );
}
