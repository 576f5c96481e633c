import { createRoute } from '@hono/zod-openapi';
import { requestCancellation } from '../../intake/orders.ts';
import { allow, ANYONE } from '../auth.ts';
import type { Api, Dependencies } from '../environment.ts';
import { problems, WITH_BODY } from '../errors.ts';
import { header, idParams, json, jsonBody, reasonBody } from '../schemas/common.ts';
import { loadOrder, orderSchema } from '../views/order.ts';

const route = createRoute({
  method: 'post',
  path: '/v1/orders/{id}/cancellation',
  tags: ['Orders'],
  summary: 'Cancel an order that is not with the carrier yet',
  description: 'What was done for the order is undone. Asking again is harmless.',
  ...allow(ANYONE),
  request: { params: idParams, body: jsonBody(reasonBody) },
  responses: {
    202: { description: 'Taken', headers: { Location: header('The order') }, content: json(orderSchema) },
    ...problems('unauthenticated', 'not_found', 'order_not_cancellable', ...WITH_BODY),
  },
});

export const cancelOrder = (api: Api, { db, links }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    await requestCancellation(db, c.var.caller, id, c.req.valid('json').reason);
    const order = await loadOrder(db, links, c.var.caller, id);
    return c.json(order, 202, { Location: order.links.self, 'Retry-After': '1' });
  });
