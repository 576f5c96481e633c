import { and, desc, eq, sql, type SQL } from 'drizzle-orm';
import type { OrderRef } from '../contracts/ids.ts';
import type { Transaction } from '../db/client.ts';
import { failureEvents, failures, orders, sagaSteps } from '../db/schema.ts';
import { isApproval, isOf, isOrder } from '../records/order-rows.ts';

/** What people and the warehouse gave as reasons. It never goes to Temporal, so activities read it where they need it. */

/** @returns why an order ended, in the words of who ended it; undefined when nobody gave a reason */
export async function whyEnded(tx: Transaction, ref: OrderRef, type: string): Promise<string | null | undefined> {
  const [order] = await tx.select().from(orders).where(isOrder(ref));
  if (type === 'order_cancelled') {
    return order?.cancellationReason ?? (await readReason(tx, 'cancel_requested', isOf(failures, ref)));
  }
  if (type === 'shipment_rejected') return order?.shipmentRejectionReason;
  if (type !== 'order_rejected') return undefined;
  const [approval] = await tx
    .select({ reason: sql<string | null>`${sagaSteps.result} ->> 'reason'` })
    .from(sagaSteps)
    .where(isApproval(ref));
  return approval?.reason;
}

/** @returns the last reason that a person gave for acting on the failures that match; undefined when nobody has acted */
export async function readReason(
  tx: Transaction,
  type: 'cancel_requested' | 'settlement_requested',
  which: SQL | undefined,
): Promise<string | undefined> {
  const [given] = await tx
    .select({ reason: failureEvents.reason })
    .from(failureEvents)
    .innerJoin(failures, eq(failures.id, failureEvents.failureId))
    .where(and(eq(failureEvents.type, type), which))
    .orderBy(desc(failureEvents.id))
    .limit(1);
  return given?.reason;
}
