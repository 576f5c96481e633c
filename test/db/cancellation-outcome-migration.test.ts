import { asc, eq, sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { orderWorkflowId } from '../../src/contracts/ids.ts';
import { migrate } from '../../src/db/migrate.ts';
import { orders } from '../../src/db/schema.ts';
import { useEarlierDatabase } from '../support/earlier-database.ts';

const { db, url } = await useEarlierDatabase({ migrations: 27 });

const KEY = '0197d0a0-0000-7000-8000-00000000000a';
const idOf = (digit: number) => `0197d0a0-0000-7000-8000-00000000000${digit}`;
const REQUESTED_AT = new Date('2026-11-20T08:00:00Z');
const ENDED_AT = new Date('2026-11-20T09:00:00Z');
const CHANGED_AT = new Date('2026-11-21T09:00:00Z');

const ORDERS = [
  { id: idOf(1), status: 'fulfilling', reason: 'changed my mind' },
  { id: idOf(2), status: 'cancelled', reason: 'changed my mind' },
  { id: idOf(3), status: 'failed', reason: 'changed my mind' },
  // Given up while it was parked.
  { id: idOf(4), status: 'cancelled', reason: null },
  { id: idOf(5), status: 'fulfilling', reason: null },
  { id: idOf(6), status: 'failed', reason: null },
];

it('gives each cancellation its outcome', async () => {
  await db.execute(sql`insert into api_keys (id, name, role) values (${KEY}, 'test', 'customer')`);
  for (const { id, status, reason } of ORDERS) {
    await db.execute(sql`insert into orders (id, owner, status, cancellation_reason, amount, currency, payment_method, customer_email, customer_name, line1, city, postal_code, country, updated_at)
      values (${id}, ${KEY}, ${status}, ${reason}, 100, 'EUR', 'pm', 'a@example.com', 'A', 'l', 'c', 'p', 'GB', ${CHANGED_AT.toISOString()})`);
    await db.execute(sql`insert into order_events (order_id, generation, status, created_at) values (${id}, 1, 'accepted', ${REQUESTED_AT.toISOString()})`);
  }
  for (const id of [idOf(1), idOf(2)]) {
    await db.execute(sql`insert into commands (workflow_id, body, state, created_at)
      values (${orderWorkflowId(id)}, ${JSON.stringify({ type: 'cancel_order', orderId: id, message: { actor: 'key:1' } })}::jsonb, 'delivered', ${REQUESTED_AT.toISOString()})`);
  }
  for (const id of [idOf(2), idOf(4)]) {
    await db.execute(sql`insert into order_events (order_id, generation, status, created_at) values (${id}, 1, 'cancelled', ${ENDED_AT.toISOString()})`);
  }

  await migrate(url);

  const { id, cancellationStatus: status, cancellationRequestedAt: requestedAt, cancellationSettledAt: settledAt } = orders;
  expect(await db.select({ id, status, requestedAt, settledAt }).from(orders).orderBy(asc(id))).toEqual([
    { id: idOf(1), status: 'requested', requestedAt: REQUESTED_AT, settledAt: null },
    { id: idOf(2), status: 'done', requestedAt: REQUESTED_AT, settledAt: ENDED_AT },
    { id: idOf(3), status: 'done', requestedAt: CHANGED_AT, settledAt: CHANGED_AT },
    { id: idOf(4), status: 'done', requestedAt: ENDED_AT, settledAt: ENDED_AT },
    { id: idOf(5), status: null, requestedAt: null, settledAt: null },
    { id: idOf(6), status: null, requestedAt: null, settledAt: null },
  ]);
});

it('lets no order end without an outcome of its cancellation', async () => {
  const ending = db.update(orders).set({ status: 'shipped' }).where(eq(orders.id, idOf(1)));
  await expect(ending).rejects.toMatchObject({ cause: { constraint: 'orders_cancellation_settled' } });
});
