import { and, asc, eq, sql } from 'drizzle-orm';
import type { Database, Transaction } from '../db/client.ts';
import { replayItems, replays } from '../db/schema.ts';
import { IntakeError } from '../intake/errors.ts';
import { requestCancel, requestReplay, requestRetry } from '../intake/failure-actions.ts';
import { lockReplay } from '../intake/replays.ts';

export type ReplayActivities = ReturnType<typeof createReplayActivities>;

/** Where a bulk replay stands after a batch. */
export interface ReplayBatch {
  state: 'running' | 'paused' | 'ended';
}

/** Bulk replay. An item's action and its mark are one transaction: however often a batch is attempted, no item is acted on twice. */
export function createReplayActivities({ db }: { db: Database }) {
  return {
    /** Acts on the next items. @param size at most how many */
    async runReplayBatch(replayId: string, size: number): Promise<ReplayBatch> {
      return await db.transaction(async (tx) => {
        const replay = await lockReplay(tx, replayId);
        if (replay.state === 'paused') return { state: 'paused' };
        if (replay.state !== 'running') return { state: 'ended' };
        const items = await tx
          .select()
          .from(replayItems)
          .where(and(eq(replayItems.replayId, replayId), eq(replayItems.state, 'pending')))
          .orderBy(asc(replayItems.position))
          .limit(size);
        for (const item of items) {
          await tx
            .update(replayItems)
            .set({ ...(await act(tx, replay, item)), actedAt: sql`now()` })
            .where(and(eq(replayItems.replayId, replayId), eq(replayItems.position, item.position)));
        }
        if (items.length === size) return { state: 'running' };
        await tx
          .update(replays)
          .set({ state: 'completed', finishedAt: sql`now()` })
          .where(eq(replays.id, replayId));
        return { state: 'ended' };
      });
    },
  };
}

type Item = typeof replayItems.$inferSelect;

/** @returns what to write on the item. What is refused has changed since it was selected; the others go on. */
async function act(tx: Transaction, replay: typeof replays.$inferSelect, item: Item): Promise<Partial<Item>> {
  const { id: replayId, actor, reason, action } = replay;
  try {
    if (action === 'replay') {
      return { state: 'requested', ...(await requestReplay(tx, item.orderId, { actor, reason })) };
    }
    if (!item.failureId) return { state: 'refused', message: 'there is no failure' };
    const request = action === 'retry' ? requestRetry : requestCancel;
    return { state: 'requested', ...(await request(tx, item.failureId, { actor, reason }, { replayId })) };
  } catch (error) {
    if (error instanceof IntakeError) return { state: 'refused', message: error.message };
    throw error;
  }
}
