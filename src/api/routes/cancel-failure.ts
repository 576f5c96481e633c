import { createRoute } from '@hono/zod-openapi';
import { actorOf } from '../../intake/caller.ts';
import { requestCancel } from '../../intake/failure-actions.ts';
import { allow, OPERATORS } from '../auth.ts';
import type { Api, Dependencies } from '../environment.ts';
import { problems, WITH_BODY } from '../errors.ts';
import { idParams, json, jsonBody, reasonBody } from '../schemas/common.ts';
import { failureSchema, loadFailure } from '../views/failure.ts';

const route = createRoute({
  method: 'post',
  path: '/v1/ops/failures/{id}/cancel',
  tags: ['Operations'],
  summary: 'Have a parked order give up and undo what it did',
  ...allow(OPERATORS),
  request: { params: idParams, body: jsonBody(reasonBody) },
  responses: {
    202: { description: 'Taken', content: json(failureSchema) },
    ...problems('unauthenticated', 'forbidden', 'not_found', 'failure_not_open', 'already_requested', ...WITH_BODY),
  },
});

export const cancelFailure = (api: Api, { db, links }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    await requestCancel(db, id, { actor: actorOf(c.var.caller), reason: c.req.valid('json').reason });
    return c.json(await loadFailure(db, links, id), 202);
  });
