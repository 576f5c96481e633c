import { orderCondition, orderSearchSchema, readOrders } from '../../../queries/orders.ts';
import { orderSchema, orderView } from '../../../views/order.ts';
import { cutPage, pageOf } from '../../../views/page.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { parkedOrder } from '../../examples/orders.ts';
import { queryRoute } from '../../read-operation.ts';
import { pageQuery } from '../../schemas/page.ts';

const route = queryRoute(
  'searchOrders',
  '/v1/ops/orders',
  { summary: "Everyone's orders by id, email address, status, or when they reached one; newest first" },
  pageQuery.extend(orderSearchSchema.shape),
  pageOf(orderSchema),
  { lastPage: { data: [parkedOrder], nextCursor: null } },
);

export const searchOrders = (api: Api, { db, links }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { limit, cursor, ...search } = c.req.valid('query');
    const records = await readOrders(db, { where: orderCondition(search, { cursor, limit: limit + 1 }), limit: limit + 1 });
    const { page, nextCursor } = cutPage(records, limit, ({ order }) => order.id);
    return c.json({ data: page.map((record) => orderView(record, links, c.var.caller)), nextCursor }, 200);
  });
