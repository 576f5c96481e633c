import { createRoute, z } from '@hono/zod-openapi';
import { actorOf } from '../../contracts/caller.ts';
import { reason } from '../../contracts/fields.ts';
import { approveOrder, rejectOrder } from '../../operate/orders.ts';
import { loadOrder, orderSchema } from '../../views/order.ts';
import { keyed } from '../auth.ts';
import type { Api, Dependencies } from '../environment.ts';
import { problems, WITH_BODY } from '../errors.ts';
import { unapprovedOrder } from '../examples/orders.ts';
import { idParams, json, jsonBody, type Examples } from '../schemas/common.ts';
import { LOCATION, RETRY_AFTER } from '../schemas/header.ts';

const ACTIONS = { approve: approveOrder, reject: rejectOrder };

const decisionSchema = z
  .strictObject({ reason, decision: z.enum(['approve', 'reject']) })
  .openapi('ApprovalDecision');

const EXAMPLES: Examples<typeof decisionSchema> = {
  approve: { decision: 'approve', reason: 'A customer of many years.' },
  reject: { decision: 'reject', reason: 'The card was reported as stolen.' },
};

const route = createRoute({
  method: 'post',
  path: '/v1/orders/{id}/approval',
  tags: ['Orders'],
  summary: 'Approve or reject an order that is waiting for it',
  description: 'The first decision counts. The key that placed an order cannot approve it.',
  ...keyed('decideApproval'),
  request: { params: idParams, body: jsonBody(decisionSchema, EXAMPLES) },
  responses: {
    202: {
      description: 'Accepted',
      headers: { Location: LOCATION, 'Retry-After': RETRY_AFTER },
      content: json(orderSchema, { decided: unapprovedOrder }),
    },
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
