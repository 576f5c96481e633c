import { and, eq, sql } from 'drizzle-orm';
import type { OrderRef } from '../contracts/ids.ts';
import type { OrderStatus } from '../contracts/statuses.ts';
import type { Transaction } from './client.ts';
import { orderEvents, orders } from './schema.ts';

/** The Postgres channel that carries the id of each order whose status has changed. */
export const ORDERS_CHANNEL = 'holdfast_orders';

/**
 * Moves an order to a status, keeps that in its history and tells those who wait for it. Does nothing when it is there
 * already, or when another generation has begun: a straggler of an old one must not speak for the order.
 * @param columns what else changes on the order with it
 */
export async function setOrderStatus(
  tx: Transaction,
  ref: OrderRef,
  status: OrderStatus,
  columns: Partial<Pick<typeof orders.$inferInsert, 'failureType' | 'failureMessage' | 'approvalDecision'>> = {},
): Promise<void> {
  const moved = await tx
    .update(orders)
    .set({ ...columns, status, updatedAt: sql`now()` })
    .where(and(eq(orders.id, ref.orderId), eq(orders.generation, ref.generation), sql`${orders.status} <> ${status}`))
    .returning({ id: orders.id });
  if (moved.length > 0) await recordOrderEvent(tx, ref, status);
}

/** Adds a status to an order's history and tells those who wait for it. */
export async function recordOrderEvent(tx: Transaction, ref: OrderRef, status: OrderStatus): Promise<void> {
  await tx.insert(orderEvents).values({ ...ref, status });
  await tx.execute(sql`select pg_notify(${ORDERS_CHANNEL}, ${ref.orderId})`);
}
