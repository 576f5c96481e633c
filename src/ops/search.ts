import { and, desc, eq, lt, sql, type SQL } from 'drizzle-orm';
import { z } from 'zod';
import { ORDER_STATUSES, SIGNUP_STATUSES } from '../contracts/statuses.ts';
import type { Database } from '../db/client.ts';
import { orders, signups } from '../db/schema.ts';

/** Which orders are meant; `email` is the exact address, in any case. */
export const orderSearchSchema = z.strictObject({
  id: z.uuid().optional(),
  email: z.email().optional(),
  status: z.enum(ORDER_STATUSES).optional(),
});
export type OrderSearch = z.infer<typeof orderSearchSchema>;

/** Which signups are meant; `email` is the exact address, in any case. */
export const signupSearchSchema = z.strictObject({
  id: z.uuid().optional(),
  email: z.email().optional(),
  status: z.enum(SIGNUP_STATUSES).optional(),
});
export type SignupSearch = z.infer<typeof signupSearchSchema>;

/** `cursor` is the id of the last one of the page before. */
export interface Page {
  limit: number;
  cursor?: string | undefined;
}

/** @returns the condition on `orders` that a search stands for */
export const orderCondition = ({ id, email, status }: OrderSearch, cursor?: string): SQL | undefined =>
  and(
    id === undefined ? undefined : eq(orders.id, id),
    email === undefined ? undefined : eq(sql`lower(${orders.customerEmail})`, email.toLowerCase()),
    status && eq(orders.status, status),
    cursor === undefined ? undefined : lt(orders.id, cursor),
  );

/** @returns orders, the newest first; one more than `limit` when there is a next page */
export async function searchOrders(db: Database, search: OrderSearch, page: Page) {
  return await db
    .select()
    .from(orders)
    .where(orderCondition(search, page.cursor))
    .orderBy(desc(orders.id))
    .limit(page.limit + 1);
}

/** @returns signups, the newest first; one more than `limit` when there is a next page */
export async function searchSignups(db: Database, { id, email, status }: SignupSearch, { limit, cursor }: Page) {
  return await db
    .select()
    .from(signups)
    .where(
      and(
        id === undefined ? undefined : eq(signups.id, id),
        email === undefined ? undefined : eq(sql`lower(${signups.email})`, email.toLowerCase()),
        status && eq(signups.status, status),
        cursor === undefined ? undefined : lt(signups.id, cursor),
      ),
    )
    .orderBy(desc(signups.id))
    .limit(limit + 1);
}
