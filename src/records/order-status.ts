import { and, inArray, sql, type SQL, type SQLWrapper } from 'drizzle-orm';
import type { OrderRef } from '../contracts/ids.ts';
import { CANCELLATION_OUTCOMES, REPLACEABLE_ORDER_STATUSES, type OrderStatus } from '../contracts/statuses.ts';
import type { Database, Transaction } from '../db/client.ts';
import { orderEvents, orders } from '../db/schema.ts';
import { settleRefusedItems, settleRestart } from './bulk-action-items.ts';
import { IS_JUST_SETTLED, settleCancellation } from './cancellations.ts';
import { isOrder } from './order-rows.ts';

type Columns = Partial<Pick<typeof orders.$inferInsert, 'failureType' | 'failureMessage'>>;

/** Other columns of the order to change with its status. `why` it is parked is kept with its failure, and not with the order. */
interface Change extends Columns {
  why?: string;
}

/**
 * Sets the status of an order and adds it to the order's history, as part of a statement. A status that decides about a
 * cancellation settles it. Does nothing if the order already has
 * this status, has moved on (see `REPLACEABLE_ORDER_STATUSES`), or has started a later generation. That is no error: the write is
 * a repetition, or it comes from an attempt or a run that nobody waits for, and the row is right.
 * @returns table expressions: `moved`, which has no row if nothing was done, `recorded_status`, and those that settle items of bulk
 * actions
 */
export function statusChange(db: Pick<Database, 'update'>, ref: OrderRef, status: OrderStatus, { why, ...columns }: Change = {}, condition?: SQL): SQL {
  const move = db
    .update(orders)
    .set({ ...columns, ...settleCancellation(status), status, updatedAt: sql`now()` })
    .where(and(isOrder(ref), inArray(orders.status, [...REPLACEABLE_ORDER_STATUSES[status]]), condition))
    .returning({ id: orders.id, settledAt: orders.cancellationSettledAt });
  const generation = sql`${ref.generation}::int`;
  const outcome = CANCELLATION_OUTCOMES[status];
  // First: the stream of events ends with a final status.
  const settled = outcome
    ? sql`select id, ${generation}, null, ${outcome}::text from moved where ${IS_JUST_SETTLED} union all`
    : sql``;
  const items = [
    settleRestart(db, ref, status, why ?? columns.failureMessage ?? null),
    // One that is done is settled before, with the failures of the order: see `beginCompensation`.
    outcome === 'refused' ? settleRefusedItems(db, ref.orderId, sql`exists (select from moved where ${IS_JUST_SETTLED})`) : undefined,
  ].flatMap((expression) => (expression ? [sql`, ${expression}`] : []));
  return sql`moved as ${move},
    recorded_status as (
      insert into ${orderEvents} (order_id, generation, status, cancellation)
      ${settled} select id, ${generation}, ${status}::text, null from moved
    )${sql.join(items)}`;
}

/**
 * Sets the status of an order: see `statusChange`.
 * @param db the transaction, or a database: it is one statement
 * @param together another change, made in the same statement whatever becomes of the status
 */
export async function setOrderStatus(
  db: Pick<Database, 'update' | 'execute'>,
  ref: OrderRef,
  status: OrderStatus,
  also: Change = {},
  together?: SQLWrapper,
): Promise<void> {
  const change = statusChange(db, ref, status, also);
  await db.execute(sql`with ${together ? sql`together as ${together}, ` : sql``}${change} select from moved`);
}

/** Adds a status to an order's history. */
export async function recordOrderEvent(tx: Transaction, ref: OrderRef, status: OrderStatus): Promise<void> {
  await tx.insert(orderEvents).values({ ...ref, status });
}
