import { eq, getTableName, is, sql } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import { describe, expect, it } from 'vitest';
import * as schema from '../../src/db/schema.ts';
import { acceptOrder, type NewOrder } from '../../src/intake/orders.ts';
import { acceptSignup } from '../../src/intake/signups.ts';
import { restartOrder } from '../../src/operate/orders.ts';
import { erasePerson } from '../../src/operate/people.ts';
import { listActions } from '../../src/queries/operator-actions.ts';
import { createCaller } from '../support/caller.ts';
import { useDatabase } from '../support/database.ts';
import { openFailureOf } from '../support/failures.ts';

const { emails, invoices, orders, shipments, signups } = schema;
const db = await useDatabase();
const caller = await createCaller(db, 'customer');
const instruction = { actor: 'cli:ada', reason: 'asked for it' };

/** Words of a person that occur nowhere else. */
const personOf = (name: string) => ({
  email: `${name}@canary.example`,
  name: `Name of ${name}`,
  line1: `Street of ${name}`,
});

const AN_HOUR_AGO = sql`now() - interval '1 hour'`;

let serial = 0;
/** Places an order of a person, and brings it to a status. @returns its id, and the request */
async function placeOrder(name: string, status: (typeof schema.orders.$inferSelect)['status']) {
  const { email, name: customerName, line1 } = personOf(name);
  const order: NewOrder = {
    customer: { email, name: customerName },
    shippingAddress: { line1, city: `City of ${name}`, postalCode: `Code of ${name}`, country: 'DE' },
    items: [{ sku: 'TEA-EARL-GREY', quantity: 1 }],
    payment: { method: 'pm_card_visa' },
  };
  const request = { idempotencyKey: `people-${(serial += 1)}`, requestHash: 'as it was', order };
  const { made } = await acceptOrder(db, caller, request);
  const { id } = made;
  await db.update(orders).set({ status, cancellationReason: `Reason of ${name}`, updatedAt: AN_HOUR_AGO }).where(eq(orders.id, id));
  await db.insert(emails).values({ key: `confirmation:${id}`, template: 'order_confirmed', recipient: email, subject: 'Order', orderId: id });
  await db.insert(emails).values({ key: `late:${id}`, template: 'late', recipient: 'operations@holdfast.example', subject: 'Late', orderId: id });
  await db.insert(shipments).values({ orderId: id, generation: 1, state: 'delivered', warehouseId: 'w', trackingNumber: `Parcel of ${name}` });
  return { id, request };
}

async function signUp(name: string, status: (typeof schema.signups.$inferSelect)['status']) {
  const { email, name: shown } = personOf(name);
  const request = { idempotencyKey: `people-${(serial += 1)}`, requestHash: 'as it was', signup: { email, name: shown } };
  const { made } = await acceptSignup(db, caller, request);
  await db.update(signups).set({ status, updatedAt: AN_HOUR_AGO }).where(eq(signups.id, made.id));
  return made;
}

const issueInvoice = (orderId: string, number: number) =>
  db.insert(invoices).values({ number, orderId, generation: 1, amount: 890, currency: 'EUR' });

/** Every table that contains a text, in any column; in the order of the schema. */
async function tablesWith(text: string): Promise<string[]> {
  const found: string[] = [];
  for (const table of Object.values(schema).filter((value) => is(value, PgTable))) {
    const { rows } = await db.execute(sql`select 1 from ${table} as row where strpos(row_to_json(row)::text, ${text}) > 0 limit 1`);
    if (rows.length > 0) found.push(getTableName(table));
  }
  return found;
}

describe('erasing a person', () => {
  it('leaves nothing of them in any table', async () => {
    await placeOrder('grace', 'cancelled');
    await placeOrder('grace', 'failed');
    await signUp('grace', 'expired');
    // Otherwise the search would prove nothing.
    expect(await tablesWith('grace')).toEqual(['idempotency_keys', 'signups', 'orders', 'shipments', 'emails']);

    expect(await erasePerson(db, 'Grace@Canary.Example', instruction)).toMatchObject({ orders: 2, invoices: 0, signups: 1, remaining: 0 });
    expect(await tablesWith('grace')).toEqual([]);
    expect(await erasePerson(db, 'grace@canary.example', instruction)).toMatchObject({ orders: 0, signups: 0, remaining: 0 });
  });

  it('keeps the recipient of an invoice, amounts, and other people', async () => {
    const { id } = await placeOrder('joan', 'completed');
    await issueInvoice(id, 1);
    const { id: other } = await placeOrder('mary', 'completed');
    expect(await erasePerson(db, 'joan@canary.example', instruction)).toMatchObject({ orders: 1, invoices: 1 });
    const [order] = await db.select().from(orders).where(eq(orders.id, id));
    expect(order).toMatchObject({ customerName: 'Name of joan', line1: 'Street of joan', country: 'DE', amount: 890 });
    expect(await tablesWith('joan@')).toEqual([]);
    expect(await tablesWith('Name of joan')).toEqual(['orders']);
    const [untouched] = await db.select().from(orders).where(eq(orders.id, other));
    expect(untouched).toMatchObject({ customerEmail: 'mary@canary.example', customerName: 'Name of mary' });
    expect(await db.$count(emails, eq(emails.recipient, 'operations@holdfast.example'))).toBeGreaterThan(0);
  });

  it('leaves what is in progress or needs attention, and says so', async () => {
    const { id } = await placeOrder('dorothy', 'needs_attention');
    const { id: failed } = await placeOrder('dorothy', 'failed');
    await openFailureOf(db, { orderId: failed, generation: 1 });
    await signUp('dorothy', 'trial');
    expect(await erasePerson(db, 'dorothy@canary.example', instruction)).toMatchObject({ orders: 0, signups: 0, remaining: 3 });
    const [order] = await db.select().from(orders).where(eq(orders.id, id));
    expect(order).toMatchObject({ customerEmail: 'dorothy@canary.example' });
  });

  it('leaves an order that has just ended, whose last email may be on its way', async () => {
    const { id } = await placeOrder('hedy', 'cancelled');
    await db.update(orders).set({ updatedAt: sql`now() - interval '1 minute'` }).where(eq(orders.id, id));
    expect(await erasePerson(db, 'hedy@canary.example', instruction)).toMatchObject({ orders: 0, remaining: 1 });
  });

  it('is not fooled by an address that looks erased', async () => {
    const { id } = await placeOrder('ada', 'failed');
    await db.update(orders).set({ customerEmail: 'ada@erased.invalid' }).where(eq(orders.id, id));
    expect(await erasePerson(db, 'ada@erased.invalid', instruction)).toMatchObject({ orders: 1, remaining: 0 });
  });

  it('does nothing twice when an erased request is repeated, and refuses a restart', async () => {
    const { id, request } = await placeOrder('annie', 'failed');
    await erasePerson(db, 'annie@canary.example', instruction);
    await expect(acceptOrder(db, caller, request)).rejects.toMatchObject({ type: 'idempotency_key_reused' });
    await expect(restartOrder.perform({ db }, id, { reason: 'again' }, 'cli:ada')).rejects.toMatchObject({ type: 'person_erased' });
  });

  it('is in the audit, without the address', async () => {
    const { id } = await erasePerson(db, 'nobody@canary.example', instruction);
    const [action] = await listActions(db, { limit: 1 });
    expect(action).toMatchObject({ action: 'erase_person', target: id, ...instruction });
    expect(await tablesWith('nobody@')).toEqual([]);
  });
});

