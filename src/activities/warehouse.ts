import { ApplicationFailure } from '@temporalio/common';
import { eq, sql } from 'drizzle-orm';
import { shipmentReference, type OrderRef } from '../contracts/ids.ts';
import type { Database } from '../db/client.ts';
import { orderItems, orders, shipments } from '../db/schema.ts';
import { noAnswer } from '../gateways/errors.ts';
import type { ShipmentRequest, WarehouseGateway } from '../gateways/warehouse.ts';
import { isOf } from '../records/order-rows.ts';
import { notInDatabase } from './errors.ts';
import type { StepEffect } from './step-commit.ts';
import { defineStep } from './steps.ts';

export type WarehouseActivities = ReturnType<typeof createWarehouseActivities>;

/** Shipments. The warehouse decides whether a parcel can still be stopped. */
export function createWarehouseActivities({ db, gateway }: { db: Database; gateway: WarehouseGateway }) {
  const ship = defineStep(db, 'ship');

  /** @returns false if the parcel has left the warehouse */
  const cancel = (ref: OrderRef, serial: number): Promise<boolean> => gateway.cancelShipment(shipmentReference({ ...ref, serial }));

  /**
   * Cancels the last shipment, and the one before it: the attempt that was to withdraw that one may never have run. Those
   * before are cancelled already.
   * @returns false if a parcel has left
   */
  async function cancelAll(ref: OrderRef): Promise<boolean> {
    const serial = await ship.lastSerial(ref);
    const isEarlierCancelled = serial === 1 || (await cancel(ref, serial - 1));
    return (await cancel(ref, serial)) && isEarlierCancelled;
  }

  /** @returns the warehouse's id of a parcel that has left */
  async function findParcel(ref: OrderRef, serial: number): Promise<string> {
    const shipment = await gateway.findShipment(shipmentReference({ ...ref, serial }));
    if (!shipment?.id) throw noAnswer('warehouse', 'The warehouse does not know the parcel that has left it.');
    return shipment.id;
  }

  return {
    /** Hands the order to the warehouse. @throws ApplicationFailure `invalid_address` */
    async requestShipment(ref: OrderRef): Promise<void> {
      await ship.run(ref, factsOf(ref), async (commit, { serial, facts }) => {
        if (!facts) throw notInDatabase('order');
        // The address was corrected after the warehouse had accepted the order, although that answer was lost.
        if (serial > 1 && !(await cancel(ref, serial - 1))) {
          const shipment = await findParcel(ref, serial - 1);
          return await commit({ ...accepted(ref, shipment), result: { shipment, sentTo: 'the earlier address' }, keySerial: serial - 1 });
        }
        const reference = shipmentReference({ ...ref, serial });
        const answer = await gateway.requestShipment(ship.key(ref, serial), { reference, ...facts });
        if (answer === 'cancelled' || answer === 'taken') {
          await ship.retireKey(ref, serial);
          throw noAnswer('warehouse', 'The warehouse has another request under this key. The next attempt uses another one.');
        }
        await commit(accepted(ref, answer.id));
      });
    },

    /** Asks the warehouse to stop the parcel, before anything is undone. */
    async withdrawShipment(ref: OrderRef): Promise<{ withdrawn: boolean }> {
      return await ship.askUntilAnswered(ref, async () => ({ withdrawn: await cancelAll(ref) }));
    },

    /** Makes sure that the parcel is not sent. */
    async cancelShipment(ref: OrderRef): Promise<void> {
      await ship.compensate(ref, async (commit) => {
        if (!(await cancelAll(ref))) {
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

/** What the warehouse has to know of an order; null if it is not in the database. */
const factsOf = ({ orderId }: OrderRef) =>
  sql<Pick<ShipmentRequest, 'recipient' | 'items'> | null>`
    select jsonb_build_object(
      'recipient', jsonb_build_object(
        'name', customer_name, 'line1', line1, 'city', city, 'postalCode', postal_code, 'country', country
      ),
      'items', (
        select jsonb_agg(jsonb_build_object('sku', sku, 'quantity', quantity) order by position)
        from ${orderItems} where ${eq(orderItems.orderId, orderId)}
      )
    ) from ${orders} where ${eq(orders.id, orderId)}`;

/** What is written when the warehouse has accepted the order. */
const accepted = ({ generation }: OrderRef, shipment: string): StepEffect => ({
  result: { shipment },
  status: 'fulfilling',
  writes: [
    sql`recorded as (
      insert into ${shipments} (order_id, generation, state, warehouse_id)
      select order_id, ${generation}::int, 'accepted', ${shipment} from finished
    )`,
  ],
});
