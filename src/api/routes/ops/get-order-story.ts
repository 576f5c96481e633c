import { createRoute } from '@hono/zod-openapi';
import { loadOrderStory } from '../../../queries/story-with-run.ts';
import { loadOrder } from '../../../views/order.ts';
import { orderStorySchema, orderStoryView } from '../../../views/story.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { COMMON, problems } from '../../errors.ts';
import { idParams, json } from '../../schemas/common.ts';

const route = createRoute({
  method: 'get',
  path: '/v1/ops/orders/{id}',
  tags: ['Operations'],
  summary: 'The whole story of an order, and what it is waiting for',
  description: 'All generations. Each list is oldest first.',
  ...allow(OPERATORS),
  request: { params: idParams },
  responses: {
    200: { description: 'The story', content: json(orderStorySchema) },
    ...problems('unauthenticated', 'forbidden', 'not_found', ...COMMON),
  },
});

export const getOrderStory = (api: Api, deps: Dependencies) =>
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const loaded = await loadOrderStory(deps, id);
    const order = await loadOrder(deps.db, deps.links, c.var.caller, id);
    return c.json(orderStoryView(loaded, order, deps.links), 200);
  });
