import type { Context, Info } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { msToNumber } from '@temporalio/common/lib/time.js';
import type { Logger } from '../log.ts';
import { toApplicationFailure } from './failure-details.ts';

const JITTER = 0.2;

/**
 * Every activity of the worker passes through here: its start, success and failure are logged, and a failure leaves
 * with a stable type, without personal data, and with the delay to its next attempt spread out.
 */
export const createActivityInterceptor =
  (log: Logger) =>
  ({ info }: Context): { inbound: ActivityInboundCallsInterceptor } => ({
    inbound: {
      async execute(input, next) {
        const fields = {
          activity: info.activityType,
          workflow: info.workflowExecution?.workflowId,
          run: info.workflowExecution?.runId,
          attempt: info.attempt,
        };
        log.info(fields, 'activity started');
        try {
          const result = await next(input);
          log.info(fields, 'activity succeeded');
          return result;
        } catch (error) {
          if (error instanceof CancelledFailure) throw error;
          const failure = toApplicationFailure(error);
          log.warn({ ...fields, errorType: failure.type, error: failure.message }, 'activity failed');
          throw withSpreadDelay(failure, info);
        }
      },
    },
  });

/**
 * Temporal's backoff has no jitter: what failed together would come back together. The delay that the retry policy asks
 * for is spread by ±20 %; a longer `Retry-After` of the other side by up to +20 %, as coming sooner would be in vain.
 */
function withSpreadDelay(failure: ApplicationFailure, { retryPolicy, attempt }: Info): ApplicationFailure {
  if (failure.nonRetryable || !retryPolicy) return failure;
  const { initialInterval = '1s', backoffCoefficient = 2, maximumInterval } = retryPolicy;
  const initial = msToNumber(initialInterval);
  const longest = maximumInterval === undefined ? initial * 100 : msToNumber(maximumInterval);
  const backoff = Math.min(initial * backoffCoefficient ** (attempt - 1), longest);
  const asked = failure.nextRetryDelay ? msToNumber(failure.nextRetryDelay) : 0;
  const delay = Math.max(backoff * between(1 - JITTER, 1 + JITTER), asked * between(1, 1 + JITTER));
  return ApplicationFailure.create({
    message: failure.message,
    type: failure.type ?? 'unknown',
    nonRetryable: false,
    nextRetryDelay: Math.round(delay),
  });
}

const between = (least: number, most: number): number => least + Math.random() * (most - least);
