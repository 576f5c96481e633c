import type { Context } from '@temporalio/activity';
import { CancelledFailure, defaultPayloadConverter, type Headers } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { REQUEST_ID, TRACEPARENT, type OF_REQUEST } from '../contracts/names.ts';
import type { Logger } from '../log.ts';
import { activityDuration } from '../metrics/activities.ts';
import { inSpan } from '../tracing/spans.ts';
import { toApplicationFailure } from './errors.ts';
import { withSpreadDelay } from './retry-delay.ts';
import { waitingForPostgres } from './wait-for-postgres.ts';

/** @returns what the run of an activity says about the request that it began with (see `workflows/request.ts`) */
function valueIn(headers: Headers, name: (typeof OF_REQUEST)[number]): unknown {
  const payload = headers[name];
  return payload && defaultPayloadConverter.fromPayload(payload);
}

/** Does an attempt in the trace of the request that its run began with, if that was traced. */
function traced<Result>({ info }: Context, headers: Headers, attempt: () => Promise<Result>): Promise<Result> {
  const parent = valueIn(headers, TRACEPARENT);
  if (typeof parent !== 'string') return attempt();
  const attributes = {
    'holdfast.workflow': info.workflowExecution?.workflowId ?? '',
    'holdfast.run': info.workflowExecution?.runId ?? '',
    'holdfast.attempt': info.attempt,
  };
  return inSpan({ name: `activity ${info.activityType}`, kind: 'consumer', parent, attributes }, attempt);
}

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
          requestId: valueIn(input.headers, REQUEST_ID),
        };
        log.debug(fields, 'activity started');
        const started = performance.now();
        const measure = (errorType: string) =>
          activityDuration.observe({ activity: info.activityType, error_type: errorType }, (performance.now() - started) / 1_000);
        try {
          const result = await traced(context, input.headers, () => waitingForPostgres(context, () => next(input)));
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
