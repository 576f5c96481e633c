import { createRoute } from '@hono/zod-openapi';
import { orderCondition, orderSearchSchema, readOrders } from '../../../queries/orders.ts';
import { orderSchema, orderView } from '../../../views/order.ts';
import { cutPage, pageOf } from '../../../views/page.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { COMMON, problems } from '../../errors.ts';
import { json } from '../../schemas/common.ts';
import { pageQuery } from '../../schemas/page.ts';

const route = createRoute({
  method: 'get',
  path: '/v1/ops/orders',
  tags: ['Operations'],
  summary: "Everyone's orders by id, email address or status; newest first",
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
    const records = await readOrders(db, { where: orderCondition(search, cursor), limit: limit + 1 });
    const { page, nextCursor } = cutPage(records, limit, ({ order }) => order.id);
    return c.json({ data: page.map((record) => orderView(record, links)), nextCursor }, 200);
  });
