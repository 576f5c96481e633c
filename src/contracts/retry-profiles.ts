import type { Duration, RetryPolicy } from '@temporalio/common';
import { NON_RETRYABLE_ERROR_TYPES } from './errors.ts';

/** How one dependency is retried. Workflows hand it to `proxyActivities` as it stands. */
export interface RetryProfile {
  startToCloseTimeout: Duration;
  scheduleToCloseTimeout?: Duration;
  retry: RetryPolicy;
}

const nonRetryableErrorTypes = NON_RETRYABLE_ERROR_TYPES;

/**
 * The retry profiles, one for each dependency. The delays are the middle of what happens: the worker spreads each by
 * ±20 % (see `activities/interceptors.ts`), because Temporal adds no jitter and orders that failed together must not come back together.
 */
export const RETRY_PROFILES = {
  /** Rides out a restart of Postgres. What still fails after about 25 minutes is a fault in our code: a person should see it. */
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
  /** Writing down what happened, even that we gave up: without Postgres there is nothing else to do but wait for it. */
  bookkeeping: {
    startToCloseTimeout: '10s',
    retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '1m' },
  },
  /** Most provider troubles pass within minutes. 12 h is the outer bound: Stripe forgets idempotency keys after 24 h. */
  payment: {
    startToCloseTimeout: '30s',
    scheduleToCloseTimeout: '12h',
    retry: {
      initialInterval: '1s',
      backoffCoefficient: 2,
      maximumInterval: '5m',
      maximumAttempts: 12,
      nonRetryableErrorTypes,
    },
  },
  /** 2 s, 4 s, 8 s, then exhausted: the warehouse is ours and either answers soon or is down for hours; then a parked order is better than a busy queue. */
  warehouse: {
    startToCloseTimeout: '10s',
    retry: {
      initialInterval: '2s',
      backoffCoefficient: 2,
      maximumInterval: '8s',
      maximumAttempts: 4,
      nonRetryableErrorTypes,
    },
  },
  /** Three attempts bridge a greylisting or a restart; an email is not worth holding anything up for longer. */
  email: {
    startToCloseTimeout: '30s',
    retry: {
      initialInterval: '5s',
      backoffCoefficient: 4,
      maximumInterval: '1m',
      maximumAttempts: 3,
      nonRetryableErrorTypes,
    },
  },
  /** A compensation gives back what is someone else's, so it never gives up. The cap keeps it from being forgotten for hours. */
  compensation: {
    startToCloseTimeout: '30s',
    retry: { initialInterval: '2s', backoffCoefficient: 2, maximumInterval: '5m' },
  },
  /** A report reads a week of orders: slow is normal, failing for long is not. */
  report: {
    startToCloseTimeout: '5m',
    retry: { initialInterval: '5s', backoffCoefficient: 2, maximumInterval: '5m', maximumAttempts: 20 },
  },
} as const satisfies Record<string, RetryProfile>;
