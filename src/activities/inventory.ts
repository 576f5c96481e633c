import { ApplicationFailure } from '@temporalio/common';
import { sql } from 'drizzle-orm';
import type { OrderRef } from '../contracts/ids.ts';
import type { Database, Transaction } from '../db/client.ts';
import { reservations } from '../db/schema.ts';
import { isOf } from '../records/order-rows.ts';
import { setOrderStatus } from '../records/order-status.ts';
import { defineStep } from './steps.ts';

export type InventoryActivities = ReturnType<typeof createInventoryActivities>;

/** Stock. Many orders share its rows, so they are changed last. */
export function createInventoryActivities({ db }: { db: Database }) {
  const reserve = defineStep(db, 'reserve');
  return {
    /** Reserves all items of the order, or none. @throws ApplicationFailure `out_of_stock` */
    async reserveStock(ref: OrderRef): Promise<void> {
      await reserve.runInPostgres(ref, {
        result: sql`jsonb_build_object('items', (select count(*) from order_items where order_id = ${ref.orderId}))`,
        async write(tx) {
          const reserved = sql`(
            insert into reservations (order_id, generation, sku, quantity)
            select order_id, ${ref.generation}::int, sku, quantity from order_items where order_id = ${ref.orderId}
          )`;
          await setOrderStatus(tx, ref, 'reserved', {}, reserved);
        },
        async writeContended(tx) {
          const missing = await moveStock(tx, ref, -1);
          if (missing) throw ApplicationFailure.nonRetryable(`Not enough ${missing} in stock.`, 'out_of_stock');
        },
      });
    },

    /** Returns the reserved items to stock. */
    async releaseStock(ref: OrderRef): Promise<void> {
      await reserve.compensateInPostgres(ref, {
        async write(tx) {
          const { rowCount } = await tx
            .update(reservations)
            .set({ releasedAt: sql`now()` })
            .where(isOf(reservations, ref));
          return { released: rowCount ?? 0 };
        },
        async writeContended(tx) {
          await moveStock(tx, ref, 1);
        },
      });
    },
  };
}

/**
 * Takes the reservations of an order from stock (`direction` -1), or gives them back (1), in one statement. It locks the
 * rows in the order of their SKU, so that two orders cannot deadlock.
 * @returns the first SKU of which there is not enough, if any
 */
async function moveStock(tx: Transaction, { orderId, generation }: OrderRef, direction: -1 | 1): Promise<string | undefined> {
  const { rows: missing } = await tx.execute<{ sku: string }>(sql`
    with
      change as (
        select sku, quantity * ${direction}::int as quantity from reservations
        where order_id = ${orderId} and generation = ${generation}
      ),
      locked as (
        select sku from stock where sku in (select sku from change) order by sku for no key update
      ),
      moved as (
        update stock set available = available + change.quantity from change join locked using (sku)
        where stock.sku = change.sku and available + change.quantity >= 0
        returning stock.sku
      )
    select sku from change where sku not in (select sku from moved) order by sku limit 1`);
  return missing[0]?.sku;
}
