import { and, eq, gte, inArray, isNotNull, not, sql, type SQL } from 'drizzle-orm';
import type { BulkActionItemState, BulkActionResult } from '../contracts/bulk-actions.ts';
import type { OrderRef } from '../contracts/ids.ts';
import type { OrderStatus } from '../contracts/statuses.ts';
import type { Database, Transaction } from '../db/client.ts';
import { isRecent } from '../db/liveness.ts';
import { bulkActionItems, bulkActions, commands, failures, orders, workers } from '../db/schema.ts';
import { isForBrokenRun } from './commands.ts';

/**
 * The results of the items of bulk actions. Each is written in the transaction that settles what the item has asked for, and only
 * on an item that still waits for it: what happens to the failure or the order later changes no result.
 */

/** How a failure was settled. */
type Settlement = Extract<BulkActionResult, 'succeeded' | 'failed_again' | 'cancelled'>;

const isAwaited = eq(bulkActionItems.state, 'requested');

const isCancellation = sql`(select ${bulkActions.action} from ${bulkActions} where ${bulkActions.id} = ${bulkActionItems.bulkActionId}) = 'cancel'`;

/** Whether an item waits for a cancellation that may still be done or refused, even though the order is no longer parked. */
const isUndecided = sql`(${isCancellation} and exists (
  select from ${orders} where ${orders.id} = ${bulkActionItems.orderId} and ${orders.cancellationStatus} = 'requested'))`;

const CONTINUED = 'the order continued before it could be cancelled';

/**
 * Writes the result of the items that wait for a failure which is settled now: it was closed, or is open again. The failure is
 * locked by the caller, as it was when the item was acted on. An item is about one occurrence of its failure. If the step has
 * succeeded after all, those that have asked to cancel the order wait for what becomes of that.
 * @param message why it failed again
 */
export async function settleItems(
  tx: Transaction,
  failureIds: readonly string[],
  settlement: Settlement,
  message: string | null = null,
): Promise<void> {
  if (failureIds.length === 0) return;
  const result = { state: settlement, message, settledAt: sql`now()` };
  await tx
    .update(bulkActionItems)
    // Asked to cancel an order, and its step has succeeded: nothing was cancelled.
    .set(
      settlement === 'succeeded'
        ? {
            ...result,
            state: sql`case when ${isCancellation} then 'skipped' else 'succeeded' end`,
            message: sql`case when ${isCancellation} then ${CONTINUED}::text end`,
          }
        : result,
    )
    .where(
      and(isAwaited, inArray(bulkActionItems.failureId, [...failureIds]), settlement === 'succeeded' ? not(isUndecided) : undefined),
    );
}

/**
 * Writes the result of the items that wait for the cancellation of an order, whatever has become of the failures that they name.
 * @param result `failed_again`: the order was not told to stop
 */
export async function settleCancelItems(
  tx: Transaction,
  orderId: string,
  result: Settlement,
  message: string | null = null,
): Promise<void> {
  await tx
    .update(bulkActionItems)
    .set({ state: result, message, settledAt: sql`now()` })
    .where(isCancelItemOf(orderId));
}

const isCancelItemOf = (orderId: string) => and(isAwaited, eq(bulkActionItems.orderId, orderId), isCancellation);

/**
 * Writes the result of the same items when the cancellation is refused, as part of the statement that refuses it.
 * @param condition false unless the statement refuses it
 * @returns a table expression
 */
export const settleRefusedItems = (db: Pick<Database, 'update'>, orderId: string, condition: SQL): SQL => sql`settled_items as ${db
  .update(bulkActionItems)
  .set({ state: 'skipped', message: CONTINUED, settledAt: sql`now()` })
  .where(and(isCancelItemOf(orderId), condition))}`;

/** What the first status of a restarted order that counts says about its restart. */
const RESULT_OF_RESTART: Partial<Record<OrderStatus, Settlement>> = {
  fulfilling: 'succeeded',
  shipped: 'succeeded',
  completed: 'succeeded',
  needs_attention: 'failed_again',
  failed: 'failed_again',
  cancelled: 'cancelled',
};

/**
 * Writes the result of the items that have restarted an order, as part of the statement that changes its status.
 * @param message why it failed again
 * @returns a table expression; undefined if there is nothing to write, as for every order that was never restarted
 */
export function settleRestart(
  db: Pick<Database, 'update'>,
  { orderId, generation }: OrderRef,
  status: OrderStatus,
  message: string | null,
): SQL | undefined {
  const state = RESULT_OF_RESTART[status];
  if (generation === 1 || state === undefined) return undefined;
  const settled = db
    .update(bulkActionItems)
    .set({ state, message, settledAt: sql`now()` })
    .where(
      and(
        isAwaited,
        eq(bulkActionItems.orderId, orderId),
        eq(bulkActionItems.generation, generation),
        sql`exists (select from moved)`,
      ),
    );
  return sql`settled_restart as ${settled}`;
}

/** How many items a bulk action acts on first. A service that is not back fails these again, and no more. */
export const FIRST_ITEMS = 5;

/** ms of work that it waits for their results: an email takes 70 s to fail. A charge takes 20 min, and a restarted order may wait for approval. */
const PATIENCE = 120_000;

const patienceAgo = sql`(now() - ${PATIENCE} * interval '1 ms')`;

const isFailureOfItem = eq(failures.id, bulkActionItems.failureId);

/**
 * Whether a result takes longer than the others should wait for. Only the time in which somebody works counts: Temporal has been told
 * what to do, unless the run is broken, and a worker of the queue has been there. Otherwise all others would be acted on as soon as the
 * workers, or Temporal, are back, although nothing is known of the first.
 */
const isOverdue = sql`(
  ${bulkActionItems.actedAt} < ${patienceAgo}
  and not exists (
    select from ${commands} where ${commands.createdAt} >= ${bulkActionItems.actedAt}
      and ${commands.workflowId} = coalesce((select ${failures.workflowId} from ${failures} where ${isFailureOfItem}), 'order/' || ${bulkActionItems.orderId})
      and (${commands.state} = 'pending' and not ${isForBrokenRun} or ${commands.deliveredAt} >= ${patienceAgo})
  )
  and exists (
    select from ${workers} where ${isRecent(workers.lastSeenAt)} and ${workers.startedAt} < ${patienceAgo}
      and case when exists (select from ${failures} where ${isFailureOfItem} and ${failures.kind} = 'email') then 'email' else 'orders' end = any(${workers.queues})
  ))`;

/** Results of the first items. The others say nothing about the service, e.g. that an order was cancelled while it was retried. */
const TELLING: BulkActionItemState[] = ['requested', 'succeeded', 'failed_again'];

/** How many items a bulk action may act on now, or why it has to pause. */
type Allowance = { allowed: number } | { pauseReason: string };

/**
 * @returns how a bulk action may go on. It waits for the results of its first items from `probeFrom` on. If one has succeeded, or none
 * is known in time, it may act on all others; if those that are known have failed again, it has to pause
 */
export async function readAllowance(
  tx: Transaction,
  { id, action, probeFrom }: Pick<typeof bulkActions.$inferSelect, 'id' | 'action' | 'probeFrom'>,
): Promise<Allowance> {
  const good = action === 'cancel' ? 'cancelled' : 'succeeded';
  const { bulkActionId, position, state, message, actedAt } = bulkActionItems;
  const first = await tx
    // An expression within another keeps the names of its tables.
    .select({ state, message, isOverdue: sql<boolean>`${isOverdue}` })
    .from(bulkActionItems)
    .where(and(eq(bulkActionId, id), gte(position, probeFrom), isNotNull(actedAt), inArray(state, [...TELLING, good])))
    .orderBy(position)
    .limit(FIRST_ITEMS);
  if (first.some((item) => item.state === good)) return { allowed: Infinity };
  if (first.length < FIRST_ITEMS) return { allowed: FIRST_ITEMS - first.length };
  if (first.some((item) => item.state === 'requested' && !item.isOverdue)) return { allowed: 0 };
  const failed = first.filter((item) => item.state === 'failed_again');
  if (failed.length === 0) return { allowed: Infinity };
  return { pauseReason: `The first ${failed.length} items failed again: ${failed.at(-1)?.message ?? 'the cause is not known'}` };
}
