import { and, eq, sql, type SQL } from 'drizzle-orm';
import type { AnyPgColumn } from 'drizzle-orm/pg-core';
import type { OrderRef } from '../contracts/ids.ts';
import { orders, sagaSteps } from '../db/schema.ts';

/** @returns the condition for the rows of one generation of an order */
export const isOf = (table: { orderId: AnyPgColumn; generation: AnyPgColumn }, { orderId, generation }: OrderRef) =>
  and(eq(table.orderId, orderId), eq(table.generation, generation));

/** @returns the condition for an order that is still in this generation */
export const isOrder = (ref: OrderRef) => isOf({ orderId: orders.id, generation: orders.generation }, ref);

/** @returns the condition for the approval of one generation of an order: a step without a compensation */
export const isApproval = (ref: OrderRef) =>
  and(isOf(sagaSteps, ref), eq(sagaSteps.step, 'approval'), eq(sagaSteps.kind, 'step'));

/**
 * @returns the condition for an order whose generation was cancelled, has failed or was restarted. It keeps no money and sends
 * no parcel. Needs `orders` in the query.
 */
export const isEndedBadly = (generation: AnyPgColumn | SQL | number): SQL =>
  sql`(${orders.generation} > ${generation} or ${orders.status} in ('cancelled', 'failed'))`;
