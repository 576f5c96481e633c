import { createRoute } from '@hono/zod-openapi';
import { actorOf } from '../../../intake/caller.ts';
import { requestSettlement } from '../../../intake/failure-actions.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { problems, WITH_BODY } from '../../errors.ts';
import { idParams, json, jsonBody, reasonBody } from '../../schemas/common.ts';
import { failureSchema, loadFailure } from '../../views/failure.ts';

const route = createRoute({
  method: 'post',
  path: '/v1/ops/failures/{id}/settlement',
  tags: ['Operations'],
  summary: 'Record that a failing compensation was done by hand',
  description:
    'The reason says what was done outside. The order goes on without the compensation. A failure that stops nothing ' +
    '(an email, a set-aside command, a late shipment) is settled by the record alone.',
  ...allow(OPERATORS),
  request: { params: idParams, body: jsonBody(reasonBody) },
  responses: {
    202: { description: 'Taken', content: json(failureSchema) },
    ...problems('unauthenticated', 'forbidden', 'not_found', 'failure_not_open', 'already_requested', ...WITH_BODY),
  },
});

export const settleFailure = (api: Api, { db, links }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    await requestSettlement(db, id, { actor: actorOf(c.var.caller), reason: c.req.valid('json').reason });
    return c.json(await loadFailure(db, links, id), 202);
  });
