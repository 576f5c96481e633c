import { and, eq, gte, sql } from 'drizzle-orm';
import { validate as isUuid } from 'uuid';
import { parseShipmentReference, type OrderRef } from '../contracts/ids.ts';
import type { CarrierUpdate } from '../contracts/messages.ts';
import type { Database, Transaction } from '../db/client.ts';
import { notifyAfterCommit } from '../db/notifications.ts';
import { orders, sagaSteps, webhookEvents } from '../db/schema.ts';
import { statement, transaction } from '../db/transaction.ts';
import { COMMANDS_CHANNEL, enqueueCommand, insertCommandFor } from '../records/commands.ts';
import { getsParcel, reportUnexpectedShipment } from '../records/unexpected-shipment.ts';
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
export async function recordCarrierWebhook(db: Database, event: WarehouseEvent): Promise<WebhookOutcome> {
  return (await recordUsual(db, event)) ? 'accepted' : await record(db, event);
}

/**
 * The usual case in one statement: an order in progress has its parcel shipped or delivered.
 * @returns false if it is another case, or the event is stored already. Then nothing was written
 */
async function recordUsual(db: Database, { eventId, type, data }: WarehouseEvent): Promise<boolean> {
  const update = UPDATES.get(type);
  const ref = parseShipmentReference(data.reference);
  if (!update || update === 'rejected' || !ref || !isUuid(ref.orderId)) return false;
  return await statement(db, async () => {
    const { rowCount } = await db.execute(sql`
      with
        expecting as (select id from ${orders} where ${getsParcel(ref)} for update),
        stored as (
          insert into ${webhookEvents} (source, event_id, type) select 'warehouse', ${eventId}, ${type} from expecting
          on conflict do nothing returning event_id
        )
      ${insertCommandFor('stored', updateShipment(ref, update, data))}`);
    if (rowCount === 1) notifyAfterCommit(COMMANDS_CHANNEL);
    return rowCount === 1;
  });
}

const record = (db: Database, { eventId, type, data }: WarehouseEvent): Promise<WebhookOutcome> =>
  transaction(db, async (tx) => {
    if (!(await storeWebhookEvent(tx, { source: 'warehouse', eventId, type }))) return 'duplicate';

    const update = UPDATES.get(type);
    if (!update) return 'ignored';
    const ref = parseShipmentReference(data.reference);
    if (!ref || !(await isKnown(tx, ref))) return 'unknown_reference';

    // A parcel that was withdrawn is no longer the order's: whether the warehouse would have rejected it does not matter.
    if (update === 'rejected' && ref.serial < (await lastSerial(tx, ref))) return 'ignored';

    if (update === 'rejected' && data.reason !== undefined) {
      await tx.update(orders).set({ shipmentRejectionReason: data.reason }).where(isOrder(ref));
    }
    const command = updateShipment(ref, update, data);
    if (await reportUnexpectedShipment(tx, ref.orderId, command.message)) return 'accepted';
    await enqueueCommand(tx, command);
    return 'accepted';
  });

const updateShipment = (
  { orderId, generation }: OrderRef,
  type: CarrierUpdate['type'],
  { carrier, trackingNumber }: WarehouseEvent['data'],
) => ({ type: 'update_shipment', orderId, message: { generation, type, carrier, trackingNumber } }) as const;

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
