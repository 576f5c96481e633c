import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import { workflowInfo, type WorkflowInterceptorsFactory } from '@temporalio/workflow';
import { OF_REQUEST } from '../contracts/names.ts';

/** Adds what is known of the request that the run began with. */
function withRequest(headers: Headers): Headers {
  const { memo = {} } = workflowInfo();
  const known = OF_REQUEST.filter((name) => memo[name] !== undefined);
  return { ...headers, ...Object.fromEntries(known.map((name) => [name, defaultPayloadConverter.toPayload(memo[name])])) };
}

/** Passes the request that a run began with on to its activities: their lines in the log have its id, and their spans are in its trace. */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  outbound: [
    {
      scheduleActivity: (input, next) => next({ ...input, headers: withRequest(input.headers) }),
      scheduleLocalActivity: (input, next) => next({ ...input, headers: withRequest(input.headers) }),
    },
  ],
});
