import { and, eq, gte } from 'drizzle-orm';
import { validate as isUuid } from 'uuid';
import { parseShipmentReference, type OrderRef } from '../contracts/ids.ts';
import type { CarrierUpdate } from '../contracts/messages.ts';
import type { Database, Transaction } from '../db/client.ts';
import { orders, sagaSteps } from '../db/schema.ts';
import { transaction } from '../db/transaction.ts';
import { enqueueCommand } from '../records/commands.ts';
import { reportUnexpectedShipment } from '../records/unexpected-shipment.ts';
import { isOf, isOrder } from '../records/order-rows.ts';
import { storeWebhookEvent } from '../records/webhook-events.ts';

/** What the warehouse reports about one parcel. */
export interface WarehouseEvent {
  /** The same for every delivery of the same event. */
  eventId: string;
  type: string;
  data: { reference: string; carrier: string; trackingNumber: string; reason?: string | undefined };
}

/** `ignored`: a type that does not concern an order. `unknown_reference`: not one of our parcels. */
export type WebhookOutcome = 'accepted' | 'duplicate' | 'ignored' | 'unknown_reference';

const UPDATES: ReadonlyMap<string, CarrierUpdate['type']> = new Map([
  ['shipment.shipped', 'shipped'],
  ['shipment.delivered', 'delivered'],
  ['shipment.rejected', 'rejected'],
]);

/** Stores an event of the warehouse once, however often it is sent, and tells the order. */
export const recordCarrierWebhook = (db: Database, event: WarehouseEvent): Promise<WebhookOutcome> =>
  transaction(db, async (tx) => {
    const { eventId, type, data } = event;
    if (!(await storeWebhookEvent(tx, { source: 'warehouse', eventId, type }))) return 'duplicate';

    const update = UPDATES.get(type);
    if (!update) return 'ignored';
    const ref = parseShipmentReference(data.reference);
    if (!ref || !(await isKnown(tx, ref))) return 'unknown_reference';

    // A parcel that was withdrawn is no longer the order's: whether the warehouse would have rejected it does not matter.
    if (update === 'rejected' && ref.serial < (await lastSerial(tx, ref))) return 'ignored';

    const { carrier, trackingNumber, reason } = data;
    if (update === 'rejected' && reason !== undefined) {
      await tx.update(orders).set({ shipmentRejectionReason: reason }).where(isOrder(ref));
    }
    const message = { generation: ref.generation, type: update, carrier, trackingNumber };
    if (await reportUnexpectedShipment(tx, ref.orderId, message)) return 'accepted';
    await enqueueCommand(tx, { type: 'update_shipment', orderId: ref.orderId, message });
    return 'accepted';
  });

/** @returns which of the shipments of a generation is the last: see `shipmentReference` */
async function lastSerial(tx: Transaction, ref: OrderRef): Promise<number> {
  const [row] = await tx
    .select({ serial: sagaSteps.keySerial })
    .from(sagaSteps)
    .where(and(isOf(sagaSteps, ref), eq(sagaSteps.step, 'ship'), eq(sagaSteps.kind, 'step')));
  return row?.serial ?? 1;
}

async function isKnown(tx: Transaction, { orderId, generation }: OrderRef): Promise<boolean> {
  if (!isUuid(orderId) || generation < 1) return false;
  const found = await tx
    .select({ id: orders.id })
    .from(orders)
    .where(and(eq(orders.id, orderId), gte(orders.generation, generation)));
  return found.length > 0;
}
