import { and, asc, count, desc, eq, gt, inArray, isNotNull, lt, sql, type SQL } from 'drizzle-orm';
import type { BulkActionItemState, BulkActionOutcome } from '../contracts/bulk-actions.ts';
import type { Database } from '../db/client.ts';
import { bulkActionItems, bulkActions, failures, orders } from '../db/schema.ts';

/** A bulk action as it was requested. */
export type BulkAction = typeof bulkActions.$inferSelect;

/** The items of a bulk action, counted by result: all but `pending` and `requested` make up the total. */
export interface BulkActionProgress {
  total: number;
  /** continuing or ended without trouble */
  succeeded: number;
  /** parked or failed again */
  failedAgain: number;
  /** their orders were cancelled or undone, whether this was asked for or not */
  cancelled: number;
  /** not acted on */
  skipped: number;
  /** without a result */
  waiting: number;
  /** of those waiting: not acted on yet */
  pending: number;
  /** acted on, whatever came of it */
  requested: number;
}

export interface BulkActionWithProgress {
  bulkAction: BulkAction;
  progress: BulkActionProgress;
  /** How many of those that failed again the same action takes once more: a restart takes no order that is parked now. */
  repeatable: number;
}

/** One thing that a bulk action acts on, and what came of it. */
export interface BulkActionItem {
  position: number;
  orderId: string | null;
  signupId: string | null;
  failureId: string | null;
  outcome: BulkActionOutcome;
  /** why it was skipped, or how it failed again */
  message: string | null;
  /** the generation of a restarted order */
  generation: number | null;
  actedAt: Date | null;
  settledAt: Date | null;
}

const isWaiting = inArray(bulkActionItems.state, ['pending', 'requested']);

const of = (condition: SQL) => sql<number>`(count(*) filter (where ${condition}))::int`;
const is = (state: BulkActionItemState) => of(eq(bulkActionItems.state, state));

const isRepeatable = sql`${bulkActionItems.state} = 'failed_again' and (${bulkActionItems.failureId} is not null or ${orders.status} = 'failed')`;

const NOTHING = { total: 0, succeeded: 0, failedAgain: 0, cancelled: 0, skipped: 0, waiting: 0, pending: 0, requested: 0, repeatable: 0 };

/** @returns a bulk action with its counts */
async function withProgress(db: Database, bulkAction: BulkAction): Promise<BulkActionWithProgress> {
  const [counts] = await db
    .select({
      total: count(),
      succeeded: is('succeeded'),
      failedAgain: is('failed_again'),
      cancelled: is('cancelled'),
      skipped: is('skipped'),
      waiting: of(isWaiting),
      pending: is('pending'),
      requested: of(isNotNull(bulkActionItems.actedAt)),
      repeatable: of(isRepeatable),
    })
    .from(bulkActionItems)
    .leftJoin(orders, eq(orders.id, bulkActionItems.orderId))
    .where(eq(bulkActionItems.bulkActionId, bulkAction.id));
  const { repeatable, ...progress } = counts ?? NOTHING;
  return { bulkAction, progress, repeatable };
}

/** @returns whether a bulk action has ended, and every item has its result */
export const isSettled = ({ bulkAction, progress }: BulkActionWithProgress): boolean =>
  bulkAction.finishedAt !== null && progress.waiting === 0;

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
  return await Promise.all(rows.map((bulkAction) => withProgress(db, bulkAction)));
}

/** @returns a bulk action and its progress; undefined when it does not exist */
export async function readBulkAction(db: Database, id: string): Promise<BulkActionWithProgress | undefined> {
  const [bulkAction] = await db.select().from(bulkActions).where(eq(bulkActions.id, id));
  return bulkAction && (await withProgress(db, bulkAction));
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
      outcome: sql<BulkActionOutcome>`case when ${isWaiting} then 'waiting' else ${bulkActionItems.state} end`,
      message: bulkActionItems.message,
      generation: bulkActionItems.generation,
      actedAt: bulkActionItems.actedAt,
      settledAt: bulkActionItems.settledAt,
    })
    .from(bulkActionItems)
    .leftJoin(failures, eq(failures.id, bulkActionItems.failureId))
    .where(
      and(
        eq(bulkActionItems.bulkActionId, bulkActionId),
        // A cursor may be larger than any position.
        gt(bulkActionItems.position, sql`${after}::bigint`),
        outcome === undefined ? undefined : outcome === 'waiting' ? isWaiting : eq(bulkActionItems.state, outcome),
      ),
    )
    .orderBy(asc(bulkActionItems.position))
    .limit(limit + 1);
}
