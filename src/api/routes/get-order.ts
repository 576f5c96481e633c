import { createRoute } from '@hono/zod-openapi';
import { RESTING_ORDER_STATUSES } from '../../contracts/statuses.ts';
import { identify, keyed, whileAllowed } from '../auth.ts';
import type { Api, Dependencies } from '../environment.ts';
import { COMMON, problems } from '../errors.ts';
import { parkedOrder, shippedOrder } from '../examples/orders.ts';
import { idParams, json } from '../schemas/common.ts';
import { loadOrder, orderSchema } from '../../views/order.ts';
import { PREFERENCE_HEADERS, preferenceApplied, preferHeader, preferredWait, waitUntilRest } from '../wait.ts';

const route = createRoute({
  method: 'get',
  path: '/v1/orders/{id}',
  tags: ['Orders'],
  summary: 'One order as it is now',
  description: 'With `Prefer: wait=N` (RFC 7240, at most 30), it is answered once it is in the warehouse, waits for a person or has ended, or after N seconds.',
  ...keyed('getOrder'),
  parameters: [preferHeader],
  request: { params: idParams },
  responses: {
    200: {
      description: 'The order',
      headers: PREFERENCE_HEADERS,
      content: json(orderSchema, { shipped: shippedOrder, parked: parkedOrder }),
    },
    ...problems('unauthenticated', 'not_found', ...COMMON),
  },
});

export const getOrder = (api: Api, deps: Dependencies) =>
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const load = () => loadOrder(deps.db, deps.links, c.var.caller, id);
    const seconds = preferredWait(c.req.header('Prefer'));
    const order = await load();
    if (seconds === 0) return c.json(order, 200);
    if (RESTING_ORDER_STATUSES.includes(order.status)) return c.json(order, 200, preferenceApplied(seconds));
    await whileAllowed(c, (signal) => waitUntilRest(deps, id, seconds, signal));
    // The key may have been revoked meanwhile.
    await identify(c);
    return c.json(await load(), 200, preferenceApplied(seconds));
  });
