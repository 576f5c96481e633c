import { and, asc, count, desc, eq, gt, lt, sql } from 'drizzle-orm';
import type { BulkActionOutcome } from '../contracts/bulk-actions.ts';
import type { Database } from '../db/client.ts';
import { bulkActionItems, bulkActions, failures, orders } from '../db/schema.ts';

/** A bulk action as it was requested. */
export type BulkAction = typeof bulkActions.$inferSelect;

/** How far a bulk action is, and the outcomes of its items. */
export interface BulkActionProgress {
  total: number;
  pending: number;
  refused: number;
  requested: number;
  /** of those requested: continuing or ended without trouble */
  succeeded: number;
  /** of those requested: parked or failed again */
  failedAgain: number;
  /** of those requested: the outcome is not known yet */
  underWay: number;
}

export interface BulkActionWithProgress {
  bulkAction: BulkAction;
  progress: BulkActionProgress;
}

/** One thing that a bulk action acts on. */
export interface BulkActionItem {
  position: number;
  orderId: string | null;
  signupId: string | null;
  failureId: string | null;
  outcome: BulkActionOutcome;
  /** why it was refused */
  message: string | null;
  /** the generation of a restarted order */
  generation: number | null;
  actedAt: Date | null;
}

/** A retry leaves its failure `retrying`. One that is open again with the same occurrence could not be delivered. */
const isRetry = sql`(select ${bulkActions.action} from ${bulkActions} where ${bulkActions.id} = ${bulkActionItems.bulkActionId}) = 'retry'`;

/** What became of an item: derived from where its failure or its order is now. */
const itemOutcome = sql<BulkActionOutcome>`case
  when ${bulkActionItems.state} <> 'requested' then ${bulkActionItems.state}
  when ${failures.id} is not null and ${failures.status} = 'open' and (${failures.occurrence} > ${bulkActionItems.occurrence} or ${isRetry}) then 'failed_again'
  when ${failures.id} is not null and ${failures.status} in ('resolved', 'cancelled', 'settled') then ${failures.status}
  when ${failures.id} is null and ${orders.generation} = ${bulkActionItems.generation} and ${orders.status} in ('failed', 'needs_attention') then 'failed_again'
  when ${failures.id} is null and ${orders.status} in ('fulfilling', 'shipped', 'completed') then 'resolved'
  when ${failures.id} is null and ${orders.status} = 'cancelled' then 'cancelled'
  else 'under_way' end`;

/** @returns the counts of a bulk action, as of now */
async function readProgress(db: Database, bulkActionId: string): Promise<BulkActionProgress> {
  const rows = await db
    .select({ outcome: itemOutcome, count: count() })
    .from(bulkActionItems)
    .leftJoin(orders, eq(orders.id, bulkActionItems.orderId))
    .leftJoin(failures, eq(failures.id, bulkActionItems.failureId))
    .where(eq(bulkActionItems.bulkActionId, bulkActionId))
    .groupBy(itemOutcome);
  const of = (...outcomes: BulkActionOutcome[]) =>
    rows.filter(({ outcome }) => outcomes.includes(outcome)).reduce((sum, row) => sum + row.count, 0);
  const succeeded = of('resolved', 'cancelled', 'settled');
  const failedAgain = of('failed_again');
  const underWay = of('under_way');
  const requested = succeeded + failedAgain + underWay;
  const [pending, refused] = [of('pending'), of('refused')];
  return { total: requested + pending + refused, pending, refused, requested, succeeded, failedAgain, underWay };
}

/**
 * @param page `cursor` is the id of the last one of the previous page
 * @returns bulk actions, newest first; one more than `limit` when there is a next page
 */
export async function listBulkActions(
  db: Database,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<BulkActionWithProgress[]> {
  const rows = await db
    .select()
    .from(bulkActions)
    .where(cursor === undefined ? undefined : lt(bulkActions.id, cursor))
    .orderBy(desc(bulkActions.id))
    .limit(limit + 1);
  return await Promise.all(
    rows.map(async (bulkAction) => ({ bulkAction, progress: await readProgress(db, bulkAction.id) })),
  );
}

/** @returns a bulk action and its progress; undefined when it does not exist */
export async function readBulkAction(db: Database, id: string): Promise<BulkActionWithProgress | undefined> {
  const [bulkAction] = await db.select().from(bulkActions).where(eq(bulkActions.id, id));
  return bulkAction && { bulkAction, progress: await readProgress(db, id) };
}

/**
 * @param page `after` is the position of the last one of the previous page
 * @returns the items of a bulk action with their outcomes, in its order; one more than `limit` when there is a next page
 */
export async function listBulkActionItems(
  db: Database,
  bulkActionId: string,
  { limit, after = -1, outcome }: { limit: number; after?: number | undefined; outcome?: BulkActionOutcome | undefined },
): Promise<BulkActionItem[]> {
  return await db
    .select({
      position: bulkActionItems.position,
      orderId: bulkActionItems.orderId,
      signupId: failures.signupId,
      failureId: bulkActionItems.failureId,
      outcome: itemOutcome,
      message: bulkActionItems.message,
      generation: bulkActionItems.generation,
      actedAt: bulkActionItems.actedAt,
    })
    .from(bulkActionItems)
    .leftJoin(orders, eq(orders.id, bulkActionItems.orderId))
    .leftJoin(failures, eq(failures.id, bulkActionItems.failureId))
    .where(
      and(
        eq(bulkActionItems.bulkActionId, bulkActionId),
        // A cursor may be larger than any position.
        gt(bulkActionItems.position, sql`${after}::bigint`),
        outcome === undefined ? undefined : eq(itemOutcome, outcome),
      ),
    )
    .orderBy(asc(bulkActionItems.position))
    .limit(limit + 1);
}
