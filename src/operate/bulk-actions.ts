import { and, asc, eq, inArray, sql, type SQL } from 'drizzle-orm';
import type { BulkActionRequest, BulkActionType } from '../contracts/bulk-actions.ts';
import { notFound, RequestError } from '../contracts/request-error.ts';
import type { Database, Transaction } from '../db/client.ts';
import { bulkActionItems, bulkActions, failures, orders } from '../db/schema.ts';
import { transaction } from '../db/transaction.ts';
import { findCandidates } from '../queries/bulk-action-plan.ts';
import { recordOperatorAction, recordOperatorActions } from '../records/audit.ts';
import { readAllowance } from '../records/bulk-action-items.ts';
import { enqueueCommand } from '../records/commands.ts';
import { newId } from '../records/new-id.ts';
import { defineAction, reasonInput, type OperatorAction } from './action.ts';
import { cancelFailure, retryFailure } from './failures.ts';
import { restartOrder } from './orders.ts';

/** Rows written by one statement: Postgres takes 65,535 parameters. */
const CHUNK = 5_000;

/**
 * Starts a bulk action. Its items are fixed now: what fails later is not touched by it.
 * @returns its id
 */
export const startBulkAction = (db: Database, request: BulkActionRequest, actor: string): Promise<string> =>
  transaction(db, (tx) => writeBulkAction(tx, request, actor));

const skipped = (message: string) => ({ state: 'skipped' as const, message, settledAt: sql`now()` });

/** The same, within a transaction of the caller. */
export async function writeBulkAction(tx: Transaction, request: BulkActionRequest, actor: string): Promise<string> {
  const id = newId();
  const { action, reason, ratePerSecond } = request;
  await tx.insert(bulkActions).values({ id, action, state: 'running', request, reason, actor, ratePerSecond });
  const items = (await findCandidates(tx, request)).map(({ orderId, failureId, refusal }, position) => ({
    bulkActionId: id,
    position,
    orderId,
    failureId,
    ...(refusal === null ? { state: 'pending' as const } : skipped(refusal)),
  }));
  for (let start = 0; start < items.length; start += CHUNK) {
    await tx.insert(bulkActionItems).values(items.slice(start, start + CHUNK));
  }
  await recordOperatorAction(tx, `bulk_${action}`, id, { actor, reason });
  await enqueueCommand(tx, { type: 'start_bulk_action', bulkActionId: id, ratePerSecond });
  return id;
}

/** Pauses a bulk action. */
export const pauseBulkAction = defineChange({
  name: 'pause_bulk_action',
  label: 'Pause',
  about: 'Acts on no further items until it is resumed. What was already requested continues.',
  done: 'Paused. What was already requested continues.',
  change: (tx, id) => setState(tx, id, { state: 'paused' }),
});

/** Resumes a paused bulk action. What has failed until now does not pause it again: the next items tell. */
export const resumeBulkAction = defineChange({
  name: 'resume_bulk_action',
  label: 'Resume',
  about: 'Continues with the next item.',
  done: 'Resumed.',
  change: (tx, id) => setState(tx, id, { state: 'running', pauseReason: null, probeFrom: nextPosition(id) }),
});

/** Ends a bulk action before its last item. */
export const cancelBulkAction = defineChange({
  name: 'cancel_bulk_action',
  label: 'Cancel the rest',
  about: 'Leaves the remaining items as they are. What was already requested continues.',
  done: 'Cancelled. What was already requested continues.',
  async change(tx, id) {
    await tx.update(bulkActionItems).set(skipped('the bulk action was cancelled before')).where(isPendingOf(id));
    await setState(tx, id, { state: 'cancelled', pauseReason: null, finishedAt: sql`now()` });
  },
});

function defineChange({
  change,
  ...texts
}: {
  name: `${'pause' | 'resume' | 'cancel'}_bulk_action`;
  label: string;
  about: string;
  done: string;
  /** Makes the change to a bulk action that is locked, and running or paused. */
  change: (tx: Transaction, id: string) => Promise<void>;
}) {
  return defineAction({
    ...texts,
    refusals: ['bulk_action_not_running'],
    input: reasonInput,
    async act(tx, target) {
      const { id: bulkActionId, state } = await lockBulkAction(tx, target);
      if (state !== 'running' && state !== 'paused') {
        throw new RequestError('bulk_action_not_running', `The bulk action is ${state}.`);
      }
      await change(tx, bulkActionId);
      await enqueueCommand(tx, { type: 'wake_bulk_action', bulkActionId });
    },
  });
}

async function setState(tx: Transaction, id: string, columns: StateColumns): Promise<void> {
  await tx.update(bulkActions).set(columns).where(eq(bulkActions.id, id));
}

type StateColumns = Pick<typeof bulkActions.$inferInsert, 'state' | 'pauseReason'> & { probeFrom?: SQL; finishedAt?: SQL };

const isPendingOf = (bulkActionId: string) => and(eq(bulkActionItems.bulkActionId, bulkActionId), eq(bulkActionItems.state, 'pending'));

/** The position of the next item; after the last one, a position that no item has. */
const nextPosition = (bulkActionId: string): SQL => sql`coalesce(
  (select min(position) from ${bulkActionItems} where ${isPendingOf(bulkActionId)}),
  (select max(position) + 1 from ${bulkActionItems} where ${eq(bulkActionItems.bulkActionId, bulkActionId)}), 0)`;

/** The lock orders a pause against the batch that is running. */
async function lockBulkAction(tx: Transaction, id: string) {
  const [bulkAction] = await tx.select().from(bulkActions).where(eq(bulkActions.id, id)).for('update');
  if (!bulkAction) throw notFound('bulk action');
  return bulkAction;
}

/**
 * Acts on the next items of a bulk action. An item's action and its mark are one transaction, so no item is acted on twice,
 * however often a batch is attempted. Acts on its first items only until one of them has succeeded, and pauses the bulk action if they
 * fail again.
 * @param size at most how many
 * @param onItem called after each
 * @returns where the bulk action stands afterwards
 */
export async function runBulkActionBatch(
  db: Database,
  bulkActionId: string,
  size: number,
  onItem: () => void,
): Promise<'running' | 'paused' | 'ended'> {
  return await transaction(db, async (tx) => {
    const bulkAction = await lockBulkAction(tx, bulkActionId);
    if (bulkAction.state === 'paused') return 'paused';
    if (bulkAction.state !== 'running') return 'ended';
    const items = await tx
      .select()
      .from(bulkActionItems)
      .where(isPendingOf(bulkActionId))
      .orderBy(asc(bulkActionItems.position))
      .limit(size);
    // Under the lock that a person takes who pauses or resumes it, so that the one decides after the other.
    const allowance = items.length > 0 ? await readAllowance(tx, bulkAction) : { allowed: 0 };
    if ('pauseReason' in allowance) {
      const { pauseReason } = allowance;
      await setState(tx, bulkActionId, { state: 'paused', pauseReason });
      await recordOperatorAction(tx, 'pause_bulk_action', bulkActionId, { actor: 'holdfast', reason: pauseReason });
      return 'paused';
    }
    const done: Item[] = [];
    let left = items.length;
    for (const item of items) {
      if (done.length >= allowance.allowed) break;
      left -= 1;
      const skip = await actOn(tx, db, bulkAction, item);
      await tx
        .update(bulkActionItems)
        .set(skip ?? { ...requested(item), actedAt: sql`now()` })
        .where(and(eq(bulkActionItems.bulkActionId, bulkActionId), eq(bulkActionItems.position, item.position)));
      if (!skip) done.push(item);
      onItem();
    }
    await recordOperatorActions(tx, ITEM_ACTIONS[bulkAction.action].name, done.map(targetOf), bulkAction);
    const failureIds = done.flatMap(({ failureId }) => failureId ?? []);
    if (failureIds.length > 0) await tx.update(failures).set({ bulkActionId }).where(inArray(failures.id, failureIds));
    if (left > 0 || items.length === size) return 'running';
    await setState(tx, bulkActionId, { state: 'completed', finishedAt: sql`now()` });
    return 'ended';
  });
}

type Item = typeof bulkActionItems.$inferSelect;

/** What each bulk action does to one item. */
const ITEM_ACTIONS = {
  retry: retryFailure,
  cancel: cancelFailure,
  restart: restartOrder,
} satisfies Record<BulkActionType, OperatorAction>;

function targetOf({ failureId, orderId }: Item): string {
  const target = failureId ?? orderId;
  if (target === null) throw new Error('An item names neither a failure nor an order.');
  return target;
}

/** @returns why an item that changed since it was selected is skipped: the others continue. Undefined once it is acted on */
async function actOn(tx: Transaction, db: Database, bulkAction: typeof bulkActions.$inferSelect, item: Item) {
  const { action, actor, reason } = bulkAction;
  try {
    await tx.transaction((savepoint) =>
      ITEM_ACTIONS[action].act(savepoint, targetOf(item), { reason, actor }, { db }),
    );
  } catch (error) {
    if (error instanceof RequestError) return skipped(error.message);
    throw error;
  }
}

/** @returns what to write on an item that was acted on: which occurrence or generation its result is about */
const requested = ({ failureId, orderId }: Item) =>
  failureId === null
    ? {
        state: 'requested' as const,
        generation: sql`(select ${orders.generation} from ${orders} where ${orders.id} = ${orderId})`,
      }
    : {
        state: 'requested' as const,
        occurrence: sql`(select ${failures.occurrence} from ${failures} where ${failures.id} = ${failureId})`,
      };
