import { createRoute, z } from '@hono/zod-openapi';
import { decideApproval as decide } from '../../intake/orders.ts';
import { allow, STAFF } from '../auth.ts';
import type { Api, Dependencies } from '../environment.ts';
import { problems, WITH_BODY } from '../errors.ts';
import { header, idParams, json, jsonBody, reasonBody } from '../schemas/common.ts';
import { loadOrder, orderSchema } from '../views/order.ts';

const decisionSchema = reasonBody.extend({ decision: z.enum(['approve', 'reject']) }).openapi('ApprovalDecision');

const route = createRoute({
  method: 'post',
  path: '/v1/orders/{id}/approval',
  tags: ['Orders'],
  summary: 'Approve or reject an order that waits for it',
  description: 'For support and operators. The first decision counts.',
  ...allow(STAFF),
  request: { params: idParams, body: jsonBody(decisionSchema) },
  responses: {
    202: { description: 'Taken', headers: { Location: header('The order') }, content: json(orderSchema) },
    ...problems('unauthenticated', 'forbidden', 'not_found', 'approval_not_awaited', ...WITH_BODY),
  },
});

export const decideApproval = (api: Api, { db, links }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    await decide(db, c.var.caller, id, c.req.valid('json'));
    const order = await loadOrder(db, links, c.var.caller, id);
    return c.json(order, 202, { Location: order.links.self, 'Retry-After': '1' });
  });
