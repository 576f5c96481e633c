import { createRoute, z } from '@hono/zod-openapi';
import { and, eq, lt } from 'drizzle-orm';
import { ORDER_STATUSES } from '../../contracts/statuses.ts';
import { orders } from '../../db/schema.ts';
import { allow, ANYONE } from '../auth.ts';
import type { Api, Dependencies } from '../environment.ts';
import { COMMON, problems } from '../errors.ts';
import { json } from '../schemas/common.ts';
import { cutPage, pageOf, pageQuery } from '../schemas/page.ts';
import { loadOrders, mayRead, orderSchema } from '../views/order.ts';

const route = createRoute({
  method: 'get',
  path: '/v1/orders',
  tags: ['Orders'],
  summary: 'Orders, the newest first',
  ...allow(ANYONE),
  request: { query: pageQuery.extend({ status: z.enum(ORDER_STATUSES).optional() }) },
  responses: {
    200: { description: 'One page', content: json(pageOf(orderSchema)) },
    ...problems('unauthenticated', 'invalid_fields', ...COMMON),
  },
});

export const listOrders = (api: Api, { db, links }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { status, limit, cursor } = c.req.valid('query');
    const where = and(
      mayRead(c.var.caller),
      status && eq(orders.status, status),
      cursor === undefined ? undefined : lt(orders.id, cursor),
    );
    const { page, nextCursor } = cutPage(await loadOrders(db, links, { where, limit: limit + 1 }), limit);
    return c.json({ data: page, nextCursor }, 200);
  });
