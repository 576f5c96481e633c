import { createRoute } from '@hono/zod-openapi';
import { actorOf } from '../../contracts/caller.ts';
import { cancelOrder as cancelForCustomer } from '../../intake/orders.ts';
import { reasonInput } from '../../operate/action.ts';
import { cancelOrder as cancelForStaff } from '../../operate/orders.ts';
import { loadOrder, orderSchema } from '../../views/order.ts';
import { keyed } from '../auth.ts';
import type { Api, Dependencies } from '../environment.ts';
import { problems, WITH_BODY } from '../errors.ts';
import { orderUnderCancellation } from '../examples/orders.ts';
import { idParams, json, jsonBody, named } from '../schemas/common.ts';
import { LOCATION, RETRY_AFTER } from '../schemas/header.ts';

const route = createRoute({
  method: 'post',
  path: '/v1/orders/{id}/cancellation',
  tags: ['Orders'],
  summary: 'Cancel an order that the carrier does not have yet',
  description:
    'What was done for the order is undone, unless the parcel turns out to have left: `cancellation` of the order says what became of it, and the customer gets an email. Repeating the request is harmless.',
  ...keyed('cancelOrder'),
  request: { params: idParams, body: jsonBody(named('Reason', reasonInput), { tooLate: { reason: 'It would arrive too late.' } }) },
  responses: {
    202: {
      description: 'Accepted',
      headers: { Location: LOCATION, 'Retry-After': RETRY_AFTER },
      content: json(orderSchema, { requested: orderUnderCancellation }),
    },
    ...problems('unauthenticated', 'not_found', 'order_not_cancellable', ...WITH_BODY),
  },
});

export const cancelOrder = (api: Api, { db, links }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const { caller } = c.var;
    const given = c.req.valid('json');
    // What staff do to someone else's order is in the audit.
    if (caller.role === 'customer') await cancelForCustomer(db, caller, id, given.reason);
    else await cancelForStaff.perform({ db }, id, given, actorOf(caller));
    const order = await loadOrder(db, links, caller, id);
    return c.json(order, 202, { Location: order.links.self, 'Retry-After': '1' });
  });
