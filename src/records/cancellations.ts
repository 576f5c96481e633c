import { and, eq, inArray, notInArray, sql, type SQL } from 'drizzle-orm';
import type { Instruction } from '../contracts/caller.ts';
import { orderWorkflowId, type OrderRef } from '../contracts/ids.ts';
import { RequestError } from '../contracts/request-error.ts';
import {
  CANCELLABLE_ORDER_STATUSES,
  CANCELLATION_OUTCOMES,
  FINAL_ORDER_STATUSES,
  type OrderStatus,
} from '../contracts/statuses.ts';
import type { Database, Transaction } from '../db/client.ts';
import { orderEvents, orders } from '../db/schema.ts';
import { statement } from '../db/transaction.ts';
import { settleRefusedItems } from './bulk-action-items.ts';
import { enqueueCommand, isAsked } from './commands.ts';
import { isOrder } from './order-rows.ts';
import type { Order } from './orders.ts';

/** The columns of an order without a cancellation. */
export const NOT_CANCELLED = {
  cancellationStatus: null,
  cancellationReason: null,
  cancellationActor: null,
  cancellationRequestedAt: null,
  cancellationSettledAt: null,
};

/** @returns whether the run of an order has heard, or will hear, of its cancellation */
export const hearsOfCancellation = (
  tx: Transaction,
  { id: orderId, cancellationRequestedAt }: Pick<Order, 'id' | 'cancellationRequestedAt'>,
): Promise<boolean> => isAsked(tx, orderWorkflowId(orderId), { type: 'cancel_order' }, cancellationRequestedAt);

const UNDER_CANCELLATION: readonly OrderStatus[] = [...CANCELLABLE_ORDER_STATUSES, 'compensating', 'cancelled'];

/**
 * Requests the cancellation of a locked order. Harmless when repeated.
 * @throws RequestError `order_not_cancellable` when the parcel has left or the order has ended
 */
export async function requestCancellation(tx: Transaction, order: Order, { reason, actor }: Instruction): Promise<void> {
  const { id: orderId, generation, status, cancellationStatus } = order;
  if (cancellationStatus === 'refused') {
    throw new RequestError('order_not_cancellable', 'The parcel has left the warehouse, so the order can no longer be cancelled.');
  }
  const command = { type: 'cancel_order', orderId, message: { actor } } as const;
  if (cancellationStatus !== null && UNDER_CANCELLATION.includes(status)) {
    // Its run may never hear of the first request: that command could not be delivered, and an operator has given it up.
    const isHeard = cancellationStatus === 'done' || (await hearsOfCancellation(tx, order));
    if (!isHeard) await enqueueCommand(tx, command);
    return;
  }
  if (!CANCELLABLE_ORDER_STATUSES.includes(status)) {
    throw new RequestError('order_not_cancellable', `The order is ${status} and can no longer be cancelled.`);
  }
  await tx
    .update(orders)
    .set({
      cancellationStatus: 'requested',
      cancellationReason: reason,
      cancellationActor: actor,
      cancellationRequestedAt: sql`now()`,
    })
    .where(eq(orders.id, orderId));
  await tx.insert(orderEvents).values({ orderId, generation, cancellation: 'requested' });
  await enqueueCommand(tx, command);
}

/**
 * Records that the cancellation of an order in progress was refused: its parcel has left. Harmless when repeated.
 * @returns whether anybody had requested it. A parked order, for example, is also given up because its deadline has passed
 */
export async function refuseCancellation(db: Database, ref: OrderRef): Promise<boolean> {
  const refuse = db
    .update(orders)
    .set({ cancellationStatus: 'refused', cancellationSettledAt: sql`coalesce(${orders.cancellationSettledAt}, now())` })
    .where(
      and(
        isOrder(ref),
        inArray(orders.cancellationStatus, ['requested', 'refused']),
        notInArray(orders.status, [...FINAL_ORDER_STATUSES]),
      ),
    )
    .returning({ id: orders.id, settledAt: orders.cancellationSettledAt });
  const { rowCount } = await statement(db, () =>
    db.execute(sql`
      with refused as ${refuse}, recorded as (
        insert into ${orderEvents} (order_id, generation, cancellation)
        select id, ${ref.generation}::int, 'refused' from refused where ${IS_JUST_SETTLED}
      ), ${settleRefusedItems(db, ref.orderId, sql`exists (select from refused where ${IS_JUST_SETTLED})`)}
      select from refused`),
  );
  return rowCount === 1;
}

/** @returns the columns that settle the cancellation of an order when it gets a status */
export function settleCancellation(status: OrderStatus): Partial<Record<keyof typeof NOT_CANCELLED, SQL>> {
  const outcome = CANCELLATION_OUTCOMES[status];
  const { cancellationStatus, cancellationRequestedAt, cancellationSettledAt } = orders;
  // The run may have been cancelled in Temporal, without a request here.
  if (status === 'cancelled') {
    return {
      cancellationStatus: sql`'done'`,
      cancellationRequestedAt: sql`coalesce(${cancellationRequestedAt}, now())`,
      cancellationSettledAt: sql`now()`,
    };
  }
  if (outcome === undefined) return {};
  const isOpen = sql`${cancellationStatus} = 'requested'`;
  return {
    cancellationStatus: sql`case when ${isOpen} then ${outcome} else ${cancellationStatus} end`,
    cancellationSettledAt: sql`case when ${isOpen} then now() else ${cancellationSettledAt} end`,
  };
}

/** Whether the cancellation of an order was settled by the present transaction. Of rows that return `cancellationSettledAt`. */
export const IS_JUST_SETTLED = sql.raw('cancellation_settled_at = now()');
