import { createRoute } from '@hono/zod-openapi';
import { orderCondition, orderSearchSchema } from '../../../ops/search.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { COMMON, problems } from '../../errors.ts';
import { json } from '../../schemas/common.ts';
import { cutPage, pageOf, pageQuery } from '../../schemas/page.ts';
import { loadOrders, orderSchema } from '../../views/order.ts';

const route = createRoute({
  method: 'get',
  path: '/v1/ops/orders',
  tags: ['Operations'],
  summary: "Everyone's orders by id, address or status; the newest first",
  ...allow(OPERATORS),
  request: { query: pageQuery.extend(orderSearchSchema.shape) },
  responses: {
    200: { description: 'One page', content: json(pageOf(orderSchema)) },
    ...problems('unauthenticated', 'forbidden', 'invalid_fields', ...COMMON),
  },
});

export const searchOrders = (api: Api, { db, links }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { limit, cursor, ...search } = c.req.valid('query');
    const rows = await loadOrders(db, links, { where: orderCondition(search, cursor), limit: limit + 1 });
    const { page, nextCursor } = cutPage(rows, limit);
    return c.json({ data: page, nextCursor }, 200);
  });
