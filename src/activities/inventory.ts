import { ApplicationFailure } from '@temporalio/common';
import { and, asc, eq, gte, isNull, sql } from 'drizzle-orm';
import type { OrderRef } from '../contracts/ids.ts';
import type { Database } from '../db/client.ts';
import { orderItems, reservations, stock } from '../db/schema.ts';
import { isOf } from '../records/order-rows.ts';
import { setOrderStatus } from '../records/order-status.ts';
import { defineStep } from './steps.ts';

export type InventoryActivities = ReturnType<typeof createInventoryActivities>;

/** Stock. Rows are locked in the order of their SKU, so that two orders cannot deadlock. */
export function createInventoryActivities({ db }: { db: Database }) {
  const reserve = defineStep(db, 'reserve');
  return {
    /** Reserves all items of the order, or none. @throws ApplicationFailure `out_of_stock` */
    async reserveStock(ref: OrderRef): Promise<void> {
      await reserve.run(ref, (commit) =>
        commit(async (tx) => {
          const items = await tx
            .select()
            .from(orderItems)
            .where(eq(orderItems.orderId, ref.orderId))
            .orderBy(asc(orderItems.sku));
          for (const { sku, quantity } of items) {
            const taken = await tx
              .update(stock)
              .set({ available: sql`${stock.available} - ${quantity}` })
              .where(and(eq(stock.sku, sku), gte(stock.available, quantity)))
              .returning({ sku: stock.sku });
            if (taken.length === 0) {
              throw ApplicationFailure.nonRetryable(`Not enough ${sku} in stock.`, 'out_of_stock');
            }
            await tx.insert(reservations).values({ ...ref, sku, quantity });
          }
          await setOrderStatus(tx, ref, 'reserved');
          return { items: items.length };
        }),
      );
    },

    /** Returns the reserved items to stock. */
    async releaseStock(ref: OrderRef): Promise<void> {
      await reserve.compensate(ref, (commit) =>
        commit(async (tx) => {
          const held = await tx
            .select()
            .from(reservations)
            .where(and(isOf(reservations, ref), isNull(reservations.releasedAt)))
            .orderBy(asc(reservations.sku));
          for (const { sku, quantity } of held) {
            await tx
              .update(stock)
              .set({ available: sql`${stock.available} + ${quantity}` })
              .where(eq(stock.sku, sku));
          }
          await tx
            .update(reservations)
            .set({ releasedAt: sql`now()` })
            .where(isOf(reservations, ref));
          return { released: held.length };
        }),
      );
    },
  };
}
