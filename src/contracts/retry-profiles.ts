import type { Duration, RetryPolicy } from '@temporalio/common';
import { msToNumber } from '@temporalio/common/lib/time.js';
import { NON_RETRYABLE_ERROR_TYPES } from './errors.ts';

/** How one dependency is retried. Workflows pass it to `proxyActivities` unchanged. */
export interface RetryProfile {
  startToCloseTimeout: Duration;
  scheduleToCloseTimeout?: Duration;
  /** After how long without a sign of life an attempt counts as dead. With it, an attempt waits for Postgres (see below). */
  heartbeatTimeout?: Duration;
  retry: RetryPolicy;
}

/**
 * An attempt for an outside service waits while Postgres is away, and only the errors of the service use up its attempts
 * (see `activities/wait-for-postgres.ts`). A call has its own, shorter limit in the gateway. The worker sends heartbeats.
 */
const WAITS_FOR_POSTGRES = { startToCloseTimeout: '10m', heartbeatTimeout: '15s' } as const;

const nonRetryableErrorTypes = NON_RETRYABLE_ERROR_TYPES;

/**
 * The retry profiles, one for each dependency. Delays are averages: the worker adds ±20 % jitter (see
 * `activities/retry-delay.ts`), because Temporal adds none and orders that failed together must not retry together.
 */
export const RETRY_PROFILES = {
  /** Survives a restart of Postgres. What still fails after about 25 minutes is a bug in our code: a person should see it. */
  database: {
    startToCloseTimeout: '10s',
    retry: {
      initialInterval: '200ms',
      backoffCoefficient: 2,
      maximumInterval: '1m',
      maximumAttempts: 30,
      nonRetryableErrorTypes,
    },
  },
  /** Records what happened, even that we gave up. Without Postgres there is nothing to do but wait for it. */
  bookkeeping: {
    startToCloseTimeout: '10s',
    retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '1m' },
  },
  /** Most provider outages end within minutes. 12 h is the limit, because Stripe forgets idempotency keys after 24 h. */
  payment: {
    ...WAITS_FOR_POSTGRES,
    scheduleToCloseTimeout: '12h',
    // Also how soon a charge hears that its order was cancelled: heartbeats are sent after four fifths of it.
    heartbeatTimeout: '5s',
    retry: {
      initialInterval: '1s',
      backoffCoefficient: 2,
      maximumInterval: '5m',
      maximumAttempts: 12,
      nonRetryableErrorTypes,
    },
  },
  /** 2 s, 4 s, 8 s, then exhausted. Our warehouse answers soon or is down for hours, and then parked orders are better than a busy queue. */
  warehouse: {
    ...WAITS_FOR_POSTGRES,
    retry: {
      initialInterval: '2s',
      backoffCoefficient: 2,
      maximumInterval: '8s',
      maximumAttempts: 4,
      nonRetryableErrorTypes,
    },
  },
  /** Three attempts survive greylisting or a restart. An email is not worth waiting for longer. */
  email: {
    ...WAITS_FOR_POSTGRES,
    retry: {
      initialInterval: '5s',
      backoffCoefficient: 4,
      maximumInterval: '1m',
      maximumAttempts: 3,
      nonRetryableErrorTypes,
    },
  },
  /** Never gives up: it returns what belongs to someone else. The cap on the delay keeps a fixed service from waiting for hours. */
  compensation: {
    startToCloseTimeout: '30s',
    retry: { initialInterval: '2s', backoffCoefficient: 2, maximumInterval: '5m' },
  },
  /** A report reads a week of orders. Being slow is normal, failing for long is not. */
  report: {
    startToCloseTimeout: '5m',
    retry: { initialInterval: '5s', backoffCoefficient: 2, maximumInterval: '5m', maximumAttempts: 20 },
  },
  /** Another check follows in a minute. What cannot be compared now is shown as not checked. */
  books: {
    startToCloseTimeout: '10m',
    retry: { initialInterval: '2s', backoffCoefficient: 2, maximumInterval: '10s', maximumAttempts: 4 },
  },
  /** As long as it takes for many rows. What is done stays done, so the next attempt continues. */
  batches: {
    startToCloseTimeout: '1h',
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
  },
} as const satisfies Record<string, RetryProfile>;

/**
 * How long the first try of a call to an outside service may take, as a local activity (see `workflows/outside.ts`). Most
 * answers come sooner. The run hears nothing meanwhile, and the try occupies a slot of its worker.
 */
const FIRST_TRY = '2s';

/** @returns the profile of the first try, which is not retried. Its delay is that of the whole profile. */
export const firstTryOf = ({ retry }: RetryProfile): RetryProfile => ({
  startToCloseTimeout: FIRST_TRY,
  retry: { ...retry, maximumAttempts: 1 },
});

/** @returns what is left of a profile after the first try and the delay after it */
export function afterFirstTry<Profile extends RetryProfile>(profile: Profile): Profile & RetryProfile {
  const { initialInterval = '1s', backoffCoefficient = 2, maximumAttempts = 2 } = profile.retry;
  return {
    ...profile,
    retry: {
      ...profile.retry,
      initialInterval: msToNumber(initialInterval) * backoffCoefficient,
      maximumAttempts: Math.max(1, maximumAttempts - 1),
    },
  };
}
