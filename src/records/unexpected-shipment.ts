import { and, eq, notInArray, sql } from 'drizzle-orm';
import { orderWorkflowId, type OrderRef } from '../contracts/ids.ts';
import type { CarrierUpdate } from '../contracts/messages.ts';
import type { OrderStatus } from '../contracts/statuses.ts';
import type { Transaction } from '../db/client.ts';
import { commands, orders } from '../db/schema.ts';
import { commandSchema, commandType } from './commands.ts';
import { openFailure } from './failures.ts';
import { isOrder } from './order-rows.ts';

/** An order in one of these gets no parcel: it is, or is being, undone. A late message about a completed order is harmless. */
const UNDONE: OrderStatus[] = ['compensating', 'cancelled', 'failed'];

/** @returns the condition for an order that gets the parcel of this generation */
export const getsParcel = (ref: OrderRef) => and(isOrder(ref), notInArray(orders.status, UNDONE));

/**
 * Opens a failure if the carrier has a parcel that should not be on its way: its order was undone, or was restarted and
 * gets another one.
 * @returns whether it did
 */
export async function reportUnexpectedShipment(tx: Transaction, orderId: string, update: CarrierUpdate): Promise<boolean> {
  const { generation, type, carrier, trackingNumber } = update;
  if (type === 'rejected') return false;
  // The lock orders this against the end of the order, which looks for messages that came before it.
  const [order] = await tx.select().from(orders).where(eq(orders.id, orderId)).for('update');
  if (!order || (generation === order.generation && !UNDONE.includes(order.status))) return false;
  const state = generation === order.generation ? order.status : `in generation ${order.generation}`;
  await openFailure(tx, {
    kind: 'unexpected_shipment',
    workflowId: orderWorkflowId(orderId),
    orderId,
    generation,
    step: 'ship',
    errorType: 'unexpected_shipment',
    errorMessage: `${carrier} reports the parcel ${trackingNumber} of generation ${generation} as ${type}, but the order is ${state}.`,
    attempts: 1,
  });
  return true;
}

/** The same for the messages that an order received before it ended. Its run may have had no use for them any more. */
export async function reportEarlierShipments(tx: Transaction, { orderId, generation }: OrderRef): Promise<void> {
  const received = await tx
    .select({ body: commands.body })
    .from(commands)
    .where(
      and(
        eq(commands.workflowId, orderWorkflowId(orderId)),
        eq(commandType, 'update_shipment'),
        eq(sql`(${commands.body} #>> '{message,generation}')::int`, generation),
      ),
    );
  for (const { body } of received) {
    const { data: command } = commandSchema.safeParse(body);
    if (command?.type === 'update_shipment') await reportUnexpectedShipment(tx, orderId, command.message);
  }
}
