import { and, asc, gt, gte, lt, type SQL } from 'drizzle-orm';
import type { Database } from '../db/client.ts';
import { orderEvents, orders } from '../db/schema.ts';
import { PAGE, type Source, type Span } from './check.ts';

/**
 * @param which a condition on `orders`; it applies if everything is listed
 * @returns a page of ids, in order: of the orders whose status changed in a span, or of all
 */
export async function listOrders(
  db: Database,
  { from, until }: Span,
  after: string | undefined,
  which?: SQL,
): Promise<string[]> {
  const beyond = (id: typeof orders.id | typeof orderEvents.orderId) => (after === undefined ? undefined : gt(id, after));
  const rows =
    from === undefined
      ? await db.select({ id: orders.id }).from(orders).where(and(which, beyond(orders.id))).orderBy(asc(orders.id)).limit(PAGE)
      : await db
          .selectDistinct({ id: orderEvents.orderId })
          .from(orderEvents)
          .where(and(gte(orderEvents.at, from), lt(orderEvents.at, until), beyond(orderEvents.orderId)))
          .orderBy(asc(orderEvents.orderId))
          .limit(PAGE);
  return rows.map(({ id }) => id);
}

/** Lists orders to be compared exactly. For checks within Postgres, which are cheap. */
export const everyOrder =
  (db: Database, which?: SQL): Source =>
  async (span, after) => {
    const ids = await listOrders(db, span, after, which);
    return { compared: ids.length, suspects: ids, next: ids.length < PAGE ? undefined : ids.at(-1) };
  };

