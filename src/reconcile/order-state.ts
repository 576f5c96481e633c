import { sql, type SQL } from 'drizzle-orm';
import type { AnyPgColumn } from 'drizzle-orm/pg-core';
import type { OrderStep } from '../contracts/statuses.ts';
import { orders } from '../db/schema.ts';

type Column = AnyPgColumn | SQL;

/**
 * Whether a step of a live order is being made or undone: the outside may then be ahead of Postgres. If it takes long, that is
 * a failure by itself. Needs `orders` in the query.
 */
export const isStepAtWork = ({ orderId, generation }: { orderId: Column; generation: Column }, step: OrderStep): SQL<boolean> =>
  sql<boolean>`(${orders.generation} = ${generation} and (
    ${orders.status} = 'compensating'
    or ${orders.status} not in ('completed', 'cancelled', 'failed') and exists (
      select from saga_steps where saga_steps.order_id = ${orderId} and saga_steps.generation = ${generation} and step = ${step}
        and state in ('running', 'retrying', 'exhausted'))))`;
