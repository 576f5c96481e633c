import { sql, type SQL } from 'drizzle-orm';
import { z } from 'zod';
import type { OrderRef } from '../contracts/ids.ts';
import { isDeclinedOrder, orders, sagaSteps } from '../db/schema.ts';
import { isStep } from '../records/saga-steps.ts';

export interface ReviewSettings {
  /** From so many declined cards of one customer within 24 hours on, further orders are reviewed. */
  reviewAfterDeclines: number | 'off';
}

/**
 * Whoever tries out stolen cards has many declined. A customer is an email address here: a shop sends the orders of all its
 * customers with one API key. Orders that are under way at the same time do not count each other.
 * @returns why a person has to review the order before it is charged, as a text in SQL; null if no review is needed
 */
export function reviewReason({ orderId }: OrderRef, { reviewAfterDeclines: limit }: ReviewSettings): SQL {
  if (limit === 'off') return sql`null`;
  return sql`(
    select 'Review: ' || count(*) || ' declined cards in 24 hours.' from ${orders}
    where ${isDeclinedOrder} and updated_at > now() - interval '24 hours'
      and lower(customer_email) = (select lower(customer_email) from ${orders} where id = ${orderId})
    having count(*) >= ${limit}::int)`;
}

const reviewed = z.object({ reason: z.string() });

/** @returns the reason that the step has recorded, as a text in SQL; null if the order is not reviewed */
export const recordedReason = (ref: OrderRef): SQL<string | null> =>
  sql`(select result ->> 'reason' from ${sagaSteps} where ${isStep({ ...ref, step: 'reserve', kind: 'step' })})`;

/** @param recorded the result of the step that has decided @returns whether a person has to review the order */
export const isReviewed = (recorded: unknown): boolean => reviewed.safeParse(recorded).success;
