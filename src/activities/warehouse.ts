import { ApplicationFailure } from '@temporalio/common';
import { eq } from 'drizzle-orm';
import { STEP_UNDONE } from '../contracts/errors.ts';
import { shipmentReference, type OrderRef } from '../contracts/ids.ts';
import type { Database } from '../db/client.ts';
import { orderItems, shipments } from '../db/schema.ts';
import type { WarehouseGateway } from '../gateways/warehouse.ts';
import { isOf } from '../records/order-rows.ts';
import { setOrderStatus } from '../records/order-status.ts';
import { findOrder } from './find-order.ts';
import { defineStep } from './steps.ts';

export type WarehouseActivities = ReturnType<typeof createWarehouseActivities>;

/** Shipments. The warehouse decides whether a parcel can still be stopped. */
export function createWarehouseActivities({ db, gateway }: { db: Database; gateway: WarehouseGateway }) {
  const ship = defineStep(db, 'ship');
  return {
    /** Hands the order to the warehouse. @throws ApplicationFailure `invalid_address` */
    async requestShipment(ref: OrderRef): Promise<void> {
      await ship.run(ref, async (commit) => {
        const { customerName: name, line1, city, postalCode, country } = await findOrder(db, ref);
        const items = await db
          .select({ sku: orderItems.sku, quantity: orderItems.quantity })
          .from(orderItems)
          .where(eq(orderItems.orderId, ref.orderId));
        const shipment = await gateway.requestShipment(ship.key(ref), {
          reference: shipmentReference(ref),
          recipient: { name, line1, city, postalCode, country },
          items,
        });
        if (!shipment) throw ApplicationFailure.nonRetryable('The shipment has already been cancelled.', STEP_UNDONE);
        await commit(async (tx) => {
          await tx.insert(shipments).values({ ...ref, state: 'accepted', warehouseId: shipment.id });
          await setOrderStatus(tx, ref, 'fulfilling');
          return { shipment: shipment.id };
        });
      });
    },

    /** Asks the warehouse to stop the parcel, before anything is undone. */
    async withdrawShipment(ref: OrderRef): Promise<{ withdrawn: boolean }> {
      return await ship.askUntilAnswered(ref, async () => ({
        withdrawn: await gateway.cancelShipment(shipmentReference(ref)),
      }));
    },

    /** Makes sure that the parcel is not sent. */
    async cancelShipment(ref: OrderRef): Promise<void> {
      await ship.compensate(ref, async (commit) => {
        if (!(await gateway.cancelShipment(shipmentReference(ref)))) {
          throw ApplicationFailure.retryable('The parcel has left the warehouse. It has to be called back by hand.', 'already_shipped');
        }
        await commit(async (tx) => {
          const cancelled = await tx
            .update(shipments)
            .set({ state: 'cancelled' })
            .where(isOf(shipments, ref))
            .returning({ id: shipments.warehouseId });
          return { cancelled: cancelled.length };
        });
      });
    },
  };
}
