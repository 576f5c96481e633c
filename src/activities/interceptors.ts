import type { Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import type { Logger } from '../log.ts';
import { toApplicationFailure } from './errors.ts';
import { withSpreadDelay } from './retry-delay.ts';

/**
 * Wraps every activity of the worker. Logs its start, success and failure. Gives its error a stable type, removes personal
 * data from it and spreads the delay to the next attempt.
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
        } catch (thrown) {
          if (thrown instanceof CancelledFailure) throw thrown;
          const error = toApplicationFailure(thrown);
          log.warn({ ...fields, errorType: error.type, error: error.message }, 'activity failed');
          throw withSpreadDelay(error, info);
        }
      },
    },
  });
