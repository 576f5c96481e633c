import { ApplicationFailure } from '@temporalio/common';
import { and, eq } from 'drizzle-orm';
import { STEP_UNDONE } from '../contracts/errors.ts';
import { shipmentReference, stepKey, type OrderRef } from '../contracts/ids.ts';
import type { Database } from '../db/client.ts';
import { setOrderStatus } from '../db/order-status.ts';
import { orderItems, orders, shipments } from '../db/schema.ts';
import type { WarehouseGateway } from '../gateways/warehouse.ts';
import { askUntilAnswered, runCompensation, runStep } from './steps.ts';

export type WarehouseActivities = ReturnType<typeof createWarehouseActivities>;

/** What the warehouse does for us. */
export function createWarehouseActivities({ db, gateway }: { db: Database; gateway: WarehouseGateway }) {
  return {
    /** Has the order packed and sent. @throws ApplicationFailure `invalid_address` */
    async requestShipment(ref: OrderRef): Promise<void> {
      await runStep(db, ref, 'ship', async (commit) => {
        const [order] = await db.select().from(orders).where(eq(orders.id, ref.orderId));
        if (!order) throw ApplicationFailure.create({ type: 'not_found', message: 'The order is not in the database.' });
        const { customerName: name, line1, city, postalCode, country } = order;
        const items = await db
          .select({ sku: orderItems.sku, quantity: orderItems.quantity })
          .from(orderItems)
          .where(eq(orderItems.orderId, ref.orderId));
        const shipment = await gateway.requestShipment(stepKey(ref, 'ship'), {
          reference: shipmentReference(ref),
          recipient: { name, line1, city, postalCode, country },
          items,
        });
        if (!shipment) throw ApplicationFailure.nonRetryable('The shipment was cancelled before.', STEP_UNDONE);
        await commit(async (tx) => {
          await tx.insert(shipments).values({ ...ref, state: 'accepted', warehouseId: shipment.id });
          await setOrderStatus(tx, ref, 'fulfilling');
          return { shipment: shipment.id };
        });
      });
    },

    /** Asks for the parcel back, without undoing anything else yet. */
    async withdrawShipment(ref: OrderRef): Promise<{ withdrawn: boolean }> {
      return await askUntilAnswered(db, ref, 'ship', async () => ({
        withdrawn: await gateway.cancelShipment(shipmentReference(ref)),
      }));
    },

    /** Makes sure that nothing is sent any more. */
    async cancelShipment(ref: OrderRef): Promise<void> {
      await runCompensation(db, ref, 'ship', async (commit) => {
        if (!(await gateway.cancelShipment(shipmentReference(ref)))) {
          throw ApplicationFailure.retryable('The parcel has left: it has to be called back by hand.', 'already_shipped');
        }
        await commit(async (tx) => {
          const cancelled = await tx
            .update(shipments)
            .set({ state: 'cancelled' })
            .where(and(eq(shipments.orderId, ref.orderId), eq(shipments.generation, ref.generation)))
            .returning({ id: shipments.warehouseId });
          return { cancelled: cancelled.length };
        });
      });
    },
  };
}
