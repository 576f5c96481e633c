import { loadOrderStory } from '../../../queries/story-with-run.ts';
import { loadOrder } from '../../../views/order.ts';
import { orderStorySchema, orderStoryView } from '../../../views/story.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { orderStory } from '../../examples/stories.ts';
import { idRoute } from '../../read-operation.ts';

const route = idRoute(
  'getOrderStory',
  '/v1/ops/orders/{id}',
  {
    summary: 'The whole story of an order, and what it is waiting for',
    description: 'All generations. Each list is oldest first.',
  },
  orderStorySchema,
  { parked: orderStory },
);

export const getOrderStory = (api: Api, deps: Dependencies) =>
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const loaded = await loadOrderStory(deps, id);
    const order = await loadOrder(deps.db, deps.links, c.var.caller, id);
    return c.json(orderStoryView(loaded, order, deps.links, c.var.caller), 200);
  });
