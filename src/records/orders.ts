import { and, eq, sql } from 'drizzle-orm';
import { notFound } from '../contracts/request-error.ts';
import type { Transaction } from '../db/client.ts';
import { orders, payments } from '../db/schema.ts';

export type Order = typeof orders.$inferSelect;

/**
 * Reads and locks an order, so that the second of two requests sees what the first decided.
 * @param owner the key that it must belong to; anybody's, unless given
 * @throws RequestError `not_found`
 */
export async function lockOrder(tx: Transaction, orderId: string, owner?: string): Promise<Order> {
  const [order] = await tx
    .select()
    .from(orders)
    .where(and(eq(orders.id, orderId), owner ? eq(orders.owner, owner) : undefined))
    .for('update');
  if (!order) throw notFound('order');
  return order;
}

/** Minor units that were captured for an order, in any generation, and not refunded. Needs `payments` in the query. */
export const unsettledAmount = sql<number>`coalesce(sum(${payments.captured} - ${payments.refunded}), 0)::int`;
