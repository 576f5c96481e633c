import { createRoute } from '@hono/zod-openapi';
import { actorOf } from '../../../intake/caller.ts';
import { requestReplay } from '../../../intake/failure-actions.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { problems, WITH_BODY } from '../../errors.ts';
import { header, idParams, json, jsonBody, reasonBody } from '../../schemas/common.ts';
import { loadOrder, orderSchema } from '../../views/order.ts';

const route = createRoute({
  method: 'post',
  path: '/v1/ops/orders/{id}/replay',
  tags: ['Operations'],
  summary: 'Start an order that ended as failed anew, as its next generation',
  description: 'Refused while money of an earlier generation is not given back.',
  ...allow(OPERATORS),
  request: { params: idParams, body: jsonBody(reasonBody) },
  responses: {
    202: { description: 'Taken', headers: { Location: header('The order') }, content: json(orderSchema) },
    ...problems('unauthenticated', 'forbidden', 'not_found', 'order_not_failed', 'money_unsettled', ...WITH_BODY),
  },
});

export const replayOrder = (api: Api, { db, links }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    await requestReplay(db, id, { actor: actorOf(c.var.caller), reason: c.req.valid('json').reason });
    const order = await loadOrder(db, links, c.var.caller, id);
    return c.json(order, 202, { Location: order.links.self, 'Retry-After': '1' });
  });
