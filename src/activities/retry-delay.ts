import type { Info } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { msToNumber } from '@temporalio/common/lib/time.js';

const JITTER = 0.2;

/**
 * Errors whose delay has been chosen. A failing compensation records its next attempt before its error reaches the
 * interceptor. If the interceptor chose another delay, the attempt would not come at the time that operators see.
 */
const chosen = new WeakSet<ApplicationFailure>();

/**
 * Chooses the delay to the next attempt. Temporal's backoff has no jitter, so activities that failed together would retry
 * together. The delay of the retry policy is spread by ±20 %. A longer `Retry-After` is only ever extended, by up to 20 %: an
 * earlier attempt would fail again.
 */
export function withSpreadDelay(
  error: ApplicationFailure,
  { retryPolicy, attempt, isLocal }: Pick<Info, 'retryPolicy' | 'attempt' | 'isLocal'>,
): ApplicationFailure {
  if (error.nonRetryable || !retryPolicy || chosen.has(error)) return error;
  const { initialInterval = '1s', backoffCoefficient = 2, maximumInterval } = retryPolicy;
  const initial = msToNumber(initialInterval);
  const longest = maximumInterval === undefined ? initial * 100 : msToNumber(maximumInterval);
  const backoff = Math.min(initial * backoffCoefficient ** (attempt - 1), longest);
  const asked = error.nextRetryDelay ? msToNumber(error.nextRetryDelay) : 0;
  const delay = Math.max(backoff * between(1 - JITTER, 1 + JITTER), asked * between(1, 1 + JITTER));
  const nextRetryDelay = Math.round(delay);
  const spread = ApplicationFailure.create({
    message: error.message,
    type: error.type ?? 'unknown',
    nonRetryable: false,
    nextRetryDelay,
    // A workflow does not see `nextRetryDelay`. After a first try it is the workflow that waits (see `workflows/outside.ts`).
    ...(isLocal && { details: [nextRetryDelay] }),
  });
  chosen.add(spread);
  return spread;
}

/** @returns when an activity that throws this error now is retried, or null if its delay has not been chosen */
export const nextAttemptAt = (error: ApplicationFailure): Date | null =>
  chosen.has(error) && error.nextRetryDelay ? new Date(Date.now() + msToNumber(error.nextRetryDelay)) : null;

const between = (least: number, most: number): number => least + Math.random() * (most - least);
