import { createRoute, type z } from '@hono/zod-openapi';
import { actorOf, type Caller } from '../contracts/caller.ts';
import { reasonInput, type OperatorAction } from '../operate/action.ts';
import type { ScheduleContext } from '../operate/schedules.ts';
import type { BulkActionView } from '../views/bulk-action.ts';
import type { FailureView } from '../views/failure.ts';
import type { OrderView } from '../views/order.ts';
import type { scheduleActionSchema } from '../views/schedule.ts';
import type { KeyedOperationId } from './access.ts';
import { keyed } from './auth.ts';
import type { Api, Dependencies } from './environment.ts';
import { problems, WITH_BODY, type ProblemType } from './errors.ts';
import { idParams, json, jsonBody, named, type Examples } from './schemas/common.ts';
import { LOCATION, RETRY_AFTER } from './schemas/header.ts';

type ActionView = FailureView | OrderView | BulkActionView | z.infer<typeof scheduleActionSchema>;

/** What an action answers with: the thing that it acted on, as it is afterwards. */
export interface ActionAnswer {
  schema: z.ZodType<ActionView>;
  examples: Record<string, ActionView>;
  load: (deps: Dependencies, caller: Caller, id: string) => Promise<ActionView>;
  /** @returns where to look for the outcome */
  location?: (deps: Dependencies, id: string) => string;
  params?: z.ZodObject<{ id: z.ZodType<string> }>;
  /** What this kind of action may also answer with. */
  problems?: readonly ProblemType[];
}

/** Of an action that needs nothing but a reason. */
const REASON = { because: { reason: 'The warehouse is back.' } };

/**
 * @param path where the endpoint is, e.g. `/v1/ops/failures/{id}/retry`
 * @param given examples of its body
 * @returns the operation that performs an operator's action
 */
export const actionOperation = (
  operationId: KeyedOperationId,
  path: `/v1/ops/${string}`,
  action: OperatorAction<ScheduleContext>,
  answer: ActionAnswer,
  given: Examples<typeof action.input> = REASON,
) => {
  const { label, about, input, refusals } = action;
  const body = named(input === reasonInput ? 'Reason' : capitalized(operationId), input);
  const route = createRoute({
    method: 'post',
    path,
    tags: ['Operations'],
    summary: label,
    description: about,
    ...keyed(operationId),
    request: { params: answer.params ?? idParams, body: jsonBody(body, given) },
    responses: {
      202: {
        description: 'Accepted',
        ...(answer.location && { headers: { Location: LOCATION, 'Retry-After': RETRY_AFTER } }),
        content: json(answer.schema, answer.examples),
      },
      ...problems('unauthenticated', 'forbidden', 'not_found', ...refusals, ...(answer.problems ?? []), ...WITH_BODY),
    },
  });
  return (api: Api, deps: Dependencies) =>
    api.openapi(route, async (c) => {
      const { id } = c.req.valid('param');
      await action.perform(deps, id, c.req.valid('json'), actorOf(c.var.caller));
      const headers = answer.location && { Location: answer.location(deps, id), 'Retry-After': '1' };
      return c.json(await answer.load(deps, c.var.caller, id), 202, headers);
    });
};

const capitalized = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);
