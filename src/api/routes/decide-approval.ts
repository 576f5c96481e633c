import { createRoute, z } from '@hono/zod-openapi';
import { actorOf } from '../../contracts/caller.ts';
import { reason } from '../../contracts/fields.ts';
import { approveOrder, rejectOrder } from '../../operate/orders.ts';
import { loadOrder, orderSchema } from '../../views/order.ts';
import { allow, STAFF } from '../auth.ts';
import type { Api, Dependencies } from '../environment.ts';
import { problems, WITH_BODY } from '../errors.ts';
import { header, idParams, json, jsonBody } from '../schemas/common.ts';

const ACTIONS = { approve: approveOrder, reject: rejectOrder };

const decisionSchema = z
  .strictObject({ reason, decision: z.enum(['approve', 'reject']) })
  .openapi('ApprovalDecision');

const route = createRoute({
  method: 'post',
  path: '/v1/orders/{id}/approval',
  tags: ['Orders'],
  summary: 'Approve or reject an order that is waiting for it',
  description: 'For support and operators. The first decision counts. The key that placed an order cannot approve it.',
  ...allow(STAFF),
  request: { params: idParams, body: jsonBody(decisionSchema) },
  responses: {
    202: { description: 'Accepted', headers: { Location: header('The order') }, content: json(orderSchema) },
    ...problems('unauthenticated', 'forbidden', 'own_order', 'not_found', 'approval_not_awaited', ...WITH_BODY),
  },
});

export const decideApproval = (api: Api, { db, links }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const { decision, ...given } = c.req.valid('json');
    await ACTIONS[decision].perform({ db }, id, given, actorOf(c.var.caller));
    const order = await loadOrder(db, links, c.var.caller, id);
    return c.json(order, 202, { Location: order.links.self, 'Retry-After': '1' });
  });
