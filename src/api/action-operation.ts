import { createRoute, type z } from '@hono/zod-openapi';
import { actorOf, type Caller } from '../contracts/caller.ts';
import { reasonInput, type OperatorAction } from '../operate/action.ts';
import type { ScheduleContext } from '../operate/schedules.ts';
import type { BulkActionView } from '../views/bulk-action.ts';
import type { FailureView } from '../views/failure.ts';
import type { OrderView } from '../views/order.ts';
import type { scheduleActionSchema } from '../views/schedule.ts';
import { allow, OPERATORS } from './auth.ts';
import type { Api, Dependencies } from './environment.ts';
import { problems, WITH_BODY, type ProblemType } from './errors.ts';
import { header, idParams, json, jsonBody, named } from './schemas/common.ts';

type ActionView = FailureView | OrderView | BulkActionView | z.infer<typeof scheduleActionSchema>;

/** What an action answers with: the thing that it acted on, as it is afterwards. */
export interface ActionAnswer {
  schema: z.ZodType<ActionView>;
  load: (deps: Dependencies, caller: Caller, id: string) => Promise<ActionView>;
  /** @returns where to look for the outcome */
  location?: (deps: Dependencies, id: string) => string;
  params?: z.ZodObject<{ id: z.ZodType<string> }>;
  /** What this kind of action may also answer with. */
  problems?: readonly ProblemType[];
}

/**
 * @param path where the endpoint is, e.g. `/v1/ops/failures/{id}/retry`
 * @returns the operation that performs an operator's action
 */
export const actionOperation = (
  path: `/v1/ops/${string}`,
  action: OperatorAction<ScheduleContext>,
  answer: ActionAnswer,
) => {
  const { label, about, input, refusals, name } = action;
  const body = named(input === reasonInput ? 'Reason' : pascalCase(name), input);
  const route = createRoute({
    method: 'post',
    path,
    tags: ['Operations'],
    summary: label,
    description: about,
    ...allow(OPERATORS),
    request: { params: answer.params ?? idParams, body: jsonBody(body) },
    responses: {
      202: {
        description: 'Accepted',
        ...(answer.location && { headers: { Location: header('Where to look for the outcome') } }),
        content: json(answer.schema),
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

/** @returns e.g. `RetryFailure` for `retry_failure` */
const pascalCase = (name: string): string =>
  name
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
