import { eq } from 'drizzle-orm';
import type { Database } from '../db/client.ts';
import { orders } from '../db/schema.ts';
import { notInDatabase } from './errors.ts';

/** @throws ApplicationFailure `not_found` */
export async function findOrder(db: Database, { orderId }: { orderId: string }): Promise<typeof orders.$inferSelect> {
  const [order] = await db.select().from(orders).where(eq(orders.id, orderId));
  if (!order) throw notInDatabase('order');
  return order;
}
