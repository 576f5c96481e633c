import { and, inArray, sql, type SQLWrapper } from 'drizzle-orm';
import type { OrderRef } from '../contracts/ids.ts';
import { REPLACEABLE_ORDER_STATUSES, type OrderStatus } from '../contracts/statuses.ts';
import type { Database, Transaction } from '../db/client.ts';
import { orderEvents, orders } from '../db/schema.ts';
import { notifyAfterCommit } from '../db/notifications.ts';
import { isOrder } from './order-rows.ts';

/** The Postgres channel that receives the id of each order whose status has changed. */
export const ORDERS_CHANNEL = 'holdfast_orders';

/**
 * Sets the status of an order, adds it to the order's history and notifies those who wait for it, in one statement. Does
 * nothing if the order already has this status, has moved on (see `REPLACEABLE_ORDER_STATUSES`), or has started a later
 * generation. That is no error: the write is a repetition, or it comes from an attempt or a run that nobody waits for, and
 * the row is right.
 * @param db the transaction, or a database within `statement`
 * @param columns other columns of the order to change with it
 * @param together another change, made in the same statement whatever becomes of the status
 */
export async function setOrderStatus(
  db: Pick<Database, 'update' | 'execute'>,
  ref: OrderRef,
  status: OrderStatus,
  columns: Partial<Pick<typeof orders.$inferInsert, 'failureType' | 'failureMessage' | 'cancellationReason'>> = {},
  together?: SQLWrapper,
): Promise<void> {
  const move = db
    .update(orders)
    .set({ ...columns, status, updatedAt: sql`now()` })
    .where(and(isOrder(ref), inArray(orders.status, [...REPLACEABLE_ORDER_STATUSES[status]])))
    .returning({ id: orders.id });
  const { rowCount } = await db.execute(sql`
    with ${together ? sql`together as ${together}, ` : sql``}moved as ${move}
    insert into ${orderEvents} (order_id, generation, status)
    select id, ${ref.generation}::int, ${status} from moved`);
  if (rowCount) notifyAfterCommit(ORDERS_CHANNEL, ref.orderId);
}

/** Adds a status to an order's history and notifies those who wait for it. */
export async function recordOrderEvent(tx: Transaction, ref: OrderRef, status: OrderStatus): Promise<void> {
  await tx.insert(orderEvents).values({ ...ref, status });
  notifyAfterCommit(ORDERS_CHANNEL, ref.orderId);
}
