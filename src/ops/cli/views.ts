import { replayRequestSchema } from '../../contracts/failures.ts';
import type { ReplayProgress } from '../../intake/replays.ts';
import type { Failure, FailureEvent } from '../failures.ts';
import { countUnderWay, type ReplayState } from '../replays.ts';
import type { PendingActivity } from '../runs.ts';

/** What `--json` prints: the shapes of the API, without its links. */

/** @returns a failure as the API shows it */
export const failureView = ({ errorType, errorMessage, resumeStatus: _resumeStatus, ...failure }: Failure) => ({
  ...failure,
  error: { type: errorType, message: errorMessage },
});

/** @returns a line of a failure's history as the API shows it */
export const failureEventView = ({ type, actor, reason, at }: FailureEvent) => ({ type, actor, reason, at });

/** @returns a pending activity as the API shows it: with null for what is not there */
export const pendingActivityView = ({
  activity,
  attempt,
  maximumAttempts = null,
  lastFailure = null,
  nextAttemptAt = null,
}: Loose<PendingActivity>) => ({ activity, attempt, maximumAttempts, lastFailure, nextAttemptAt });

type Loose<Shape> = { [Field in keyof Shape]: undefined extends Shape[Field] ? Shape[Field] | null : Shape[Field] };

/** @returns a bulk replay as the API shows it, with how far it is */
export function replayView({ replay: { request, ...replay }, progress }: ReplayState) {
  const { filter, ids } = replayRequestSchema.parse(request);
  return { ...replay, filter: filter ?? null, ids: ids?.length ?? null, progress: progressView(progress) };
}

/** @returns progress as the API shows it */
export const progressView = (progress: ReplayProgress) => ({ ...progress, underWay: countUnderWay(progress) });

/** Cuts a page off a list that was read one longer; the cursor is that of the API. */
export function cutPage<Row extends { id: string }>(
  rows: Row[],
  limit: number,
): { page: Row[]; nextCursor: string | null } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { page, nextCursor: rows.length > limit && last ? Buffer.from(last.id).toString('base64url') : null };
}
