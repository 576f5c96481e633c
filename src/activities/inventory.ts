import { ApplicationFailure } from '@temporalio/common';
import { and, asc, eq, gte, isNull, sql } from 'drizzle-orm';
import type { OrderRef } from '../contracts/ids.ts';
import type { Database } from '../db/client.ts';
import { setOrderStatus } from '../db/order-status.ts';
import { orderItems, reservations, stock } from '../db/schema.ts';
import { runCompensation, runStep } from './steps.ts';

export type InventoryActivities = ReturnType<typeof createInventoryActivities>;

/** Stock, which is ours and lives in Postgres. Rows are locked in the order of their SKU, so that two orders cannot block each other. */
export function createInventoryActivities({ db }: { db: Database }) {
  return {
    /** Sets aside what the order needs, all of it or nothing. @throws ApplicationFailure `out_of_stock` */
    async reserveStock(ref: OrderRef): Promise<void> {
      await runStep(db, ref, 'reserve', (commit) =>
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
              throw ApplicationFailure.nonRetryable(`There is not enough ${sku} in stock.`, 'out_of_stock');
            }
            await tx.insert(reservations).values({ ...ref, sku, quantity });
          }
          await setOrderStatus(tx, ref, 'reserved');
          return { items: items.length };
        }),
      );
    },

    /** Puts back what was set aside. */
    async releaseStock(ref: OrderRef): Promise<void> {
      await runCompensation(db, ref, 'reserve', (commit) =>
        commit(async (tx) => {
          const held = await tx
            .select()
            .from(reservations)
            .where(
              and(
                eq(reservations.orderId, ref.orderId),
                eq(reservations.generation, ref.generation),
                isNull(reservations.releasedAt),
              ),
            )
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
            .where(and(eq(reservations.orderId, ref.orderId), eq(reservations.generation, ref.generation)));
          return { released: held.length };
        }),
      );
    },
  };
}
