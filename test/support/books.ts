import { inArray, isNull, sql } from 'drizzle-orm';
import { expect } from 'vitest';
import { shipmentReference } from '../../src/contracts/ids.ts';
import type { Database } from '../../src/db/client.ts';
import { orders, reservations, stock } from '../../src/db/schema.ts';
import type { WarehouseSimulator } from '../../src/sandbox/simulators/warehouse.ts';

/**
 * What must hold whatever happened: stock is either on the shelf or reserved, and an order that ended badly keeps no
 * stock, no money and no parcel.
 */
export async function openBooks(db: Database) {
  const stockAtFirst = await db.select().from(stock).orderBy(stock.sku);

  return {
    async check(
      money: (orderId: string) => Promise<{ ours: number; theirs: number }>,
      warehouse: ReturnType<WarehouseSimulator['ledger']>,
    ): Promise<void> {
      const held = await db
        .select({ orderId: reservations.orderId, sku: reservations.sku, quantity: reservations.quantity })
        .from(reservations)
        .where(isNull(reservations.releasedAt));
      const available = await db.select().from(stock).orderBy(stock.sku);
      const accounted = available.map((row) => ({
        ...row,
        available: held.reduce((sum, { sku, quantity }) => sum + (sku === row.sku ? quantity : 0), row.available),
      }));
      expect(accounted).toEqual(stockAtFirst);

      const endedBadly = await db
        .select()
        .from(orders)
        .where(inArray(orders.status, ['failed', 'cancelled']))
        .orderBy(sql`${orders.createdAt} desc`);
      for (const { id, generation } of endedBadly) {
        expect(held.map(({ orderId }) => orderId)).not.toContain(id);
        expect(await money(id)).toEqual({ ours: 0, theirs: 0 });
        const reference = shipmentReference({ orderId: id, generation });
        const told = warehouse.flatMap((entry) => ('reference' in entry && entry.reference === reference ? [entry.type] : []));
        expect([undefined, 'shipment.cancelled']).toContain(told.at(-1));
      }
    },
  };
}
