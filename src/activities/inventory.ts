import { ApplicationFailure } from '@temporalio/common';
import { and, eq, lt, sql, type SQL } from 'drizzle-orm';
import type { OrderRef } from '../contracts/ids.ts';
import type { Database } from '../db/client.ts';
import { violates } from '../db/constraints.ts';
import { orderItems, reservations, stock } from '../db/schema.ts';
import { isOf } from '../records/order-rows.ts';
import { isReviewed, reviewReason, type ReviewSettings } from './review.ts';
import { isCommitting } from './step-commit.ts';
import { defineStep } from './steps.ts';

export type InventoryActivities = ReturnType<typeof createInventoryActivities>;

/** Stock. Many orders share its rows, so they are changed last. */
export function createInventoryActivities({ db, settings }: { db: Database; settings: ReviewSettings }) {
  const reserve = defineStep(db, 'reserve');

  /** @returns the first SKU of which there is not enough for an order, if any */
  async function findMissing({ orderId }: OrderRef): Promise<string | undefined> {
    const [missing] = await db
      .select({ sku: stock.sku })
      .from(orderItems)
      .innerJoin(stock, eq(stock.sku, orderItems.sku))
      .where(and(eq(orderItems.orderId, orderId), lt(stock.available, orderItems.quantity)))
      .orderBy(stock.sku)
      .limit(1);
    return missing?.sku;
  }

  return {
    /**
     * Reserves all items of the order, or none, and decides whether a person has to review the order before it is charged. Both
     * are recorded together, so that a later attempt gives the same answer.
     * @returns undefined without a review. Earlier versions returned nothing, as their histories show
     * @throws ApplicationFailure `out_of_stock`
     */
    async reserveStock(ref: OrderRef): Promise<{ review: true } | undefined> {
      const recorded = await reserve.runInPostgres(ref, {
        result: sql`(
          select jsonb_strip_nulls(jsonb_build_object('items', count(*), 'reason', ${reviewReason(ref, settings)}))
          from ${orderItems} where ${eq(orderItems.orderId, ref.orderId)})`,
        status: 'reserved',
        writes: [
          sql`reserved as (
            insert into ${reservations} (order_id, generation, sku, quantity)
            select order_id, ${ref.generation}::int, sku, quantity from ${orderItems}
            where ${eq(orderItems.orderId, ref.orderId)} and ${isCommitting}
            returning sku, quantity
          )`,
          ...moveStock('reserved', -1),
        ],
        async refusal(error) {
          if (!violates(error, 'stock_not_negative')) return undefined;
          const missing = await findMissing(ref);
          // Otherwise some of it has come back meanwhile, and the next attempt finds it.
          return missing === undefined ? undefined : ApplicationFailure.nonRetryable(`Not enough ${missing} in stock.`, 'out_of_stock');
        },
      });
      return isReviewed(recorded) ? { review: true } : undefined;
    },

    /** Returns the reserved items to stock. */
    async releaseStock(ref: OrderRef): Promise<void> {
      await reserve.compensateInPostgres(ref, async (tx) => {
        const { rowCount } = await tx
          .update(reservations)
          .set({ releasedAt: sql`now()` })
          .where(isOf(reservations, ref));
        const released = sql`released as (select sku, quantity from ${reservations} where ${isOf(reservations, ref)})`;
        await tx.execute(sql`with ${sql.join([released, ...moveStock('released', 1)], sql`, `)} select`);
        return { released: rowCount ?? 0 };
      });
    },
  };
}

/**
 * Takes items from stock (`direction` -1), or gives them back (1). The rows are locked in the order of their SKU, so that two
 * orders cannot deadlock. If there is not enough, the check of the table `stock` fails the statement.
 * @param items a table expression with `sku` and `quantity`
 */
function moveStock(items: 'reserved' | 'released', direction: -1 | 1): SQL[] {
  const from = sql.identifier(items);
  return [
    sql`locked as (select sku from ${stock} where sku in (select sku from ${from}) order by sku for no key update)`,
    sql`stocked as (
      update ${stock} set available = available + ${direction}::int * quantity from ${from} join locked using (sku)
      where ${stock.sku} = ${from}.sku
    )`,
  ];
}
