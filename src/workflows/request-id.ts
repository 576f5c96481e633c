import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import { workflowInfo, type WorkflowInterceptorsFactory } from '@temporalio/workflow';
import { REQUEST_ID } from '../contracts/names.ts';

/** Adds the id of the request that the run began with, if it is known. */
function withRequestId(headers: Headers): Headers {
  const requestId = workflowInfo().memo?.[REQUEST_ID];
  return requestId === undefined ? headers : { ...headers, [REQUEST_ID]: defaultPayloadConverter.toPayload(requestId) };
}

/** Passes the id of the request that a run began with on to its activities, so that their lines in the log have it, too. */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  outbound: [
    {
      scheduleActivity: (input, next) => next({ ...input, headers: withRequestId(input.headers) }),
      scheduleLocalActivity: (input, next) => next({ ...input, headers: withRequestId(input.headers) }),
    },
  ],
});
