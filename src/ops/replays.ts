import { and, asc, desc, eq, gt, lt } from 'drizzle-orm';
import type { Database } from '../db/client.ts';
import { failures, orders, replayItems, replays } from '../db/schema.ts';
import { itemOutcome, readProgress, type ItemOutcome, type ReplayProgress } from '../intake/replays.ts';

/** A bulk replay as it was asked for. */
export type Replay = typeof replays.$inferSelect;

/** A bulk replay, and how far it is. */
export interface ReplayState {
  replay: Replay;
  progress: ReplayProgress;
}

/** @returns how many items have been acted on and have not come out yet: they go on without the bulk replay */
export const countUnderWay = ({ requested, succeeded, failedAgain }: ReplayProgress): number =>
  requested - succeeded - failedAgain;

/** One thing that a bulk replay acts on. */
export interface ReplayItem {
  position: number;
  orderId: string;
  failureId: string | null;
  outcome: ItemOutcome;
  /** why it was refused */
  message: string | null;
  /** the generation that a replayed order has got */
  generation: number | null;
  actedAt: Date | null;
}

/**
 * @param page `cursor` is the id of the last one of the page before
 * @returns bulk replays, the newest first; one more than `limit` when there is a next page
 */
export async function listReplays(
  db: Database,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<ReplayState[]> {
  const rows = await db
    .select()
    .from(replays)
    .where(cursor === undefined ? undefined : lt(replays.id, cursor))
    .orderBy(desc(replays.id))
    .limit(limit + 1);
  return await Promise.all(rows.map(async (replay) => ({ replay, progress: await readProgress(db, replay.id) })));
}

/** @returns a bulk replay and how far it is; undefined when there is none */
export async function readReplay(db: Database, id: string): Promise<ReplayState | undefined> {
  const [replay] = await db.select().from(replays).where(eq(replays.id, id));
  return replay && { replay, progress: await readProgress(db, id) };
}

/**
 * @param page `after` is the position of the last one of the page before
 * @returns what a bulk replay acts on and what became of each, in its order; one more than `limit` when there is a next page
 */
export async function listReplayItems(
  db: Database,
  replayId: string,
  { limit, after = -1, outcome }: { limit: number; after?: number | undefined; outcome?: string | undefined },
): Promise<ReplayItem[]> {
  return await db
    .select({
      position: replayItems.position,
      orderId: replayItems.orderId,
      failureId: replayItems.failureId,
      outcome: itemOutcome,
      message: replayItems.message,
      generation: replayItems.generation,
      actedAt: replayItems.actedAt,
    })
    .from(replayItems)
    .innerJoin(orders, eq(orders.id, replayItems.orderId))
    .leftJoin(failures, eq(failures.id, replayItems.failureId))
    .where(
      and(
        eq(replayItems.replayId, replayId),
        gt(replayItems.position, after),
        outcome === undefined ? undefined : eq(itemOutcome, outcome),
      ),
    )
    .orderBy(asc(replayItems.position))
    .limit(limit + 1);
}
