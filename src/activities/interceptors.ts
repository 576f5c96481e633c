import type { Context } from '@temporalio/activity';
import { CancelledFailure, defaultPayloadConverter, type Headers } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { REQUEST_ID } from '../contracts/names.ts';
import type { Logger } from '../log.ts';
import { activityDuration } from '../metrics/activities.ts';
import { toApplicationFailure } from './errors.ts';
import { withSpreadDelay } from './retry-delay.ts';
import { waitingForPostgres } from './wait-for-postgres.ts';

/** @returns the id of the request that the run of an activity began with (see `workflows/request-id.ts`) */
const requestIdIn = ({ [REQUEST_ID]: payload }: Headers): unknown => payload && defaultPayloadConverter.fromPayload(payload);

/**
 * Wraps every activity of the worker. Logs its success or failure (and its start, at level `debug`). Lets an attempt wait for
 * Postgres. Gives its error a stable type, removes personal data from it and spreads the delay to the next attempt.
 */
export const createActivityInterceptor =
  (log: Logger) =>
  (context: Context): { inbound: ActivityInboundCallsInterceptor } => ({
    inbound: {
      async execute(input, next) {
        const { info } = context;
        const fields = {
          activity: info.activityType,
          workflow: info.workflowExecution?.workflowId,
          run: info.workflowExecution?.runId,
          attempt: info.attempt,
          requestId: requestIdIn(input.headers),
        };
        log.debug(fields, 'activity started');
        const started = performance.now();
        const measure = (errorType: string) =>
          activityDuration.observe({ activity: info.activityType, error_type: errorType }, (performance.now() - started) / 1_000);
        try {
          const result = await waitingForPostgres(context, () => next(input));
          log.info({ ...fields, ms: Math.round(performance.now() - started) }, 'activity succeeded');
          measure('');
          return result;
        } catch (thrown) {
          if (thrown instanceof CancelledFailure) throw thrown;
          const error = toApplicationFailure(thrown);
          measure(error.type ?? '');
          log.warn({ ...fields, errorType: error.type, error: error.message }, 'activity failed');
          throw withSpreadDelay(error, info);
        }
      },
    },
  });
