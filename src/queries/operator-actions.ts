import { desc, lt } from 'drizzle-orm';
import type { Database } from '../db/client.ts';
import { operatorActions } from '../db/schema.ts';

export type OperatorAction = typeof operatorActions.$inferSelect;

/**
 * @param page `cursor` is the id of the last action of the previous page
 * @returns what operators did, newest first; one more than `limit` when there is a next page
 */
export async function listActions(
  db: Database,
  page: { limit: number; cursor?: number | undefined },
): Promise<OperatorAction[]> {
  return await db
    .select()
    .from(operatorActions)
    .where(page.cursor === undefined ? undefined : lt(operatorActions.id, page.cursor))
    .orderBy(desc(operatorActions.id))
    .limit(page.limit + 1);
}
