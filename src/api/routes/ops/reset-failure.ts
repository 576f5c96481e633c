import { createRoute, z } from '@hono/zod-openapi';
import { actorOf } from '../../../intake/caller.ts';
import { requestReset } from '../../../intake/failure-actions.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { problems, WITH_BODY } from '../../errors.ts';
import { idParams, json, jsonBody, reasonBody } from '../../schemas/common.ts';
import { failureSchema, loadFailure } from '../../views/failure.ts';

const resetSchema = reasonBody
  .extend({
    eventId: z
      .int()
      .min(1)
      .optional()
      .openapi({ description: 'The event to undo; unless given, the first failure of a workflow task, or the end of the run' }),
  })
  .openapi('FailureReset');

const route = createRoute({
  method: 'post',
  path: '/v1/ops/failures/{id}/reset',
  tags: ['Operations'],
  summary: 'Have a run that a fault in the code has broken go back to before it, and on with the code at hand',
  description: 'Steps that were done stay done: nothing is charged or shipped again.',
  ...allow(OPERATORS),
  request: { params: idParams, body: jsonBody(resetSchema) },
  responses: {
    202: { description: 'Taken', content: json(failureSchema) },
    ...problems('unauthenticated', 'forbidden', 'not_found', 'failure_not_open', ...WITH_BODY),
  },
});

export const resetFailure = (api: Api, { db, links }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const { reason, eventId } = c.req.valid('json');
    await requestReset(db, id, { actor: actorOf(c.var.caller), reason }, eventId);
    return c.json(await loadFailure(db, links, id), 202);
  });
