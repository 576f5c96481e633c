import { and, eq, sql } from 'drizzle-orm';
import type { Instruction } from '../contracts/caller.ts';
import { RequestError, notFound } from '../contracts/request-error.ts';
import { CANCELLABLE_ORDER_STATUSES, type OrderStatus } from '../contracts/statuses.ts';
import type { Transaction } from '../db/client.ts';
import { orders, payments } from '../db/schema.ts';
import { enqueueCommand } from './commands.ts';

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

/** The columns of an order without a cancellation: none was requested, or it came too late. */
export const NOT_CANCELLED = { cancellationReason: null, cancellationActor: null };

const UNDER_CANCELLATION: readonly OrderStatus[] = [...CANCELLABLE_ORDER_STATUSES, 'compensating', 'cancelled'];

/**
 * Requests the cancellation of a locked order. Harmless when repeated.
 * @throws RequestError `order_not_cancellable` when the carrier has the parcel or the order has ended
 */
export async function requestCancellation(tx: Transaction, order: Order, instruction: Instruction): Promise<void> {
  const { id: orderId, status, cancellationReason } = order;
  if (cancellationReason !== null && UNDER_CANCELLATION.includes(status)) return;
  if (!CANCELLABLE_ORDER_STATUSES.includes(status)) {
    throw new RequestError('order_not_cancellable', `The order is ${status} and can no longer be cancelled.`);
  }
  const { reason, actor } = instruction;
  await tx.update(orders).set({ cancellationReason: reason, cancellationActor: actor }).where(eq(orders.id, orderId));
  await enqueueCommand(tx, { type: 'cancel_order', orderId, message: { actor } });
}

/** Minor units that were captured for an order, in any generation, and not refunded. Needs `payments` in the query. */
export const unsettledAmount = sql<number>`coalesce(sum(${payments.captured} - ${payments.refunded}), 0)::int`;
