import { createRoute } from '@hono/zod-openapi';
import { notFound } from '../../../intake/errors.ts';
import { tellOrder } from '../../../ops/order-story.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { COMMON, problems } from '../../errors.ts';
import { idParams, json } from '../../schemas/common.ts';
import { loadOrder } from '../../views/order.ts';
import { orderPastView, orderStorySchema, toldView } from '../../views/story.ts';

const route = createRoute({
  method: 'get',
  path: '/v1/ops/orders/{id}',
  tags: ['Operations'],
  summary: 'The whole story of an order, and why it waits',
  description: 'All generations; each list the oldest first.',
  ...allow(OPERATORS),
  request: { params: idParams },
  responses: {
    200: { description: 'The story', content: json(orderStorySchema) },
    ...problems('unauthenticated', 'forbidden', 'not_found', ...COMMON),
  },
});

export const getOrderStory = (api: Api, { db, links, temporal: client }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const told = await tellOrder({ db, client }, id);
    if (!told) throw notFound('order');
    const order = await loadOrder(db, links, c.var.caller, id);
    return c.json({ order, ...orderPastView(told.story), ...toldView(told, links) }, 200);
  });
