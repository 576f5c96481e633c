import { createRoute, z } from '@hono/zod-openapi';
import { and } from 'drizzle-orm';
import { ORDER_STATUSES } from '../../contracts/statuses.ts';
import { mayRead, orderCondition, readOrders } from '../../queries/orders.ts';
import { orderSchema, orderView } from '../../views/order.ts';
import { cutPage, pageOf } from '../../views/page.ts';
import { keyed } from '../auth.ts';
import type { Api, Dependencies } from '../environment.ts';
import { COMMON, problems } from '../errors.ts';
import { ID_CURSOR } from '../examples/ids.ts';
import { shippedOrder } from '../examples/orders.ts';
import { json } from '../schemas/common.ts';
import { pageQuery } from '../schemas/page.ts';

const route = createRoute({
  method: 'get',
  path: '/v1/orders',
  tags: ['Orders'],
  summary: 'Orders, newest first',
  ...keyed('listOrders'),
  request: { query: pageQuery.extend({ status: z.enum(ORDER_STATUSES).optional() }) },
  responses: {
    200: { description: 'One page', content: json(pageOf(orderSchema), { page: { data: [shippedOrder], nextCursor: ID_CURSOR } }) },
    ...problems('unauthenticated', 'invalid_fields', ...COMMON),
  },
});

export const listOrders = (api: Api, { db, links }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { limit, cursor, ...search } = c.req.valid('query');
    const where = and(mayRead(c.var.caller), orderCondition(search, { cursor }));
    const { page, nextCursor } = cutPage(await readOrders(db, { where, limit: limit + 1 }), limit, ({ order }) => order.id);
    return c.json({ data: page.map((record) => orderView(record, links, c.var.caller)), nextCursor }, 200);
  });
