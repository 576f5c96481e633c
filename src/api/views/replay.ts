import { z } from '@hono/zod-openapi';
import { REPLAY_ACTIONS, REPLAY_STATES, replayRequestSchema } from '../../contracts/failures.ts';
import type { Database } from '../../db/client.ts';
import { notFound } from '../../intake/errors.ts';
import type { ReplayProgress } from '../../intake/replays.ts';
import { countUnderWay, readReplay, type ReplayState } from '../../ops/replays.ts';
import type { Links } from '../links.ts';
import { time } from '../schemas/common.ts';
import { failureFilter } from '../schemas/failure-filter.ts';

export const progressSchema = z
  .strictObject({
    total: z.int(),
    pending: z.int(),
    requested: z.int(),
    refused: z.int(),
    succeeded: z.int().openapi({ description: 'Of those requested: mended, or going on without trouble' }),
    failedAgain: z.int(),
    underWay: z.int(),
  })
  .openapi('ReplayProgress');

export const replaySchema = z
  .strictObject({
    id: z.uuid(),
    action: z.enum(REPLAY_ACTIONS),
    state: z.enum(REPLAY_STATES).openapi({ description: '`completed`: all has been asked for; it may be under way yet' }),
    filter: failureFilter.nullable().openapi({ description: 'null when the ids were given' }),
    ids: z.int().nullable().openapi({ description: 'How many ids were given; null when a filter was' }),
    reason: z.string(),
    actor: z.string(),
    ratePerSecond: z.int(),
    createdAt: time,
    finishedAt: time.nullable(),
    progress: progressSchema,
    links: z.strictObject({
      self: z.string(),
      items: z.string(),
      events: z.string(),
      pause: z.string(),
      resume: z.string(),
      cancel: z.string(),
      workflow: z.string(),
    }),
  })
  .openapi('BulkReplay');

/** @returns a bulk replay as the API shows it. */
export function replayView(
  { replay, progress }: ReplayState,
  links: Links,
): z.infer<typeof replaySchema> {
  const { id, action, state, reason, actor, ratePerSecond, createdAt, finishedAt } = replay;
  const { filter, ids } = replayRequestSchema.parse(replay.request);
  return {
    id,
    action,
    state,
    filter: filter ?? null,
    ids: ids?.length ?? null,
    reason,
    actor,
    ratePerSecond,
    createdAt: createdAt.toISOString(),
    finishedAt: finishedAt?.toISOString() ?? null,
    progress: progressView(progress),
    links: links.replay(id),
  };
}

/** @returns progress as the API shows it. */
export const progressView = (progress: ReplayProgress): z.infer<typeof progressSchema> => ({
  ...progress,
  underWay: countUnderWay(progress),
});

/** @throws IntakeError `not_found` */
export async function loadReplay(
  db: Database,
  links: Links,
  id: string,
): Promise<z.infer<typeof replaySchema>> {
  const found = await readReplay(db, id);
  if (!found) throw notFound('bulk replay');
  return replayView(found, links);
}
