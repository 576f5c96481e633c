import { and, inArray, sql } from 'drizzle-orm';
import type { OrderRef } from '../contracts/ids.ts';
import { REPLACEABLE_ORDER_STATUSES, type OrderStatus } from '../contracts/statuses.ts';
import type { Transaction } from '../db/client.ts';
import { orderEvents, orders } from '../db/schema.ts';
import { notifyAfterCommit } from '../db/notifications.ts';
import { isOrder } from './order-rows.ts';

/** The Postgres channel that receives the id of each order whose status has changed. */
export const ORDERS_CHANNEL = 'holdfast_orders';

/**
 * Sets the status of an order, adds it to the order's history and notifies those who wait for it. Does nothing if the order
 * already has this status, has moved on (see `REPLACEABLE_ORDER_STATUSES`), or has started a later generation. That is no
 * error: the write is a repetition, or it comes from an attempt or a run that nobody waits for, and the row is right.
 * @param columns other columns of the order to change with it
 */
export async function setOrderStatus(
  tx: Transaction,
  ref: OrderRef,
  status: OrderStatus,
  columns: Partial<Pick<typeof orders.$inferInsert, 'failureType' | 'failureMessage' | 'cancellationReason'>> = {},
): Promise<void> {
  const moved = await tx
    .update(orders)
    .set({ ...columns, status, updatedAt: sql`now()` })
    .where(and(isOrder(ref), inArray(orders.status, REPLACEABLE_ORDER_STATUSES[status])))
    .returning({ id: orders.id });
  if (moved.length > 0) await recordOrderEvent(tx, ref, status);
}

/** Adds a status to an order's history and notifies those who wait for it. */
export async function recordOrderEvent(tx: Transaction, ref: OrderRef, status: OrderStatus): Promise<void> {
  await tx.insert(orderEvents).values({ ...ref, status });
  notifyAfterCommit(ORDERS_CHANNEL, ref.orderId);
}
