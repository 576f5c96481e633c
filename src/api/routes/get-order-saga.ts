import { createRoute, z } from '@hono/zod-openapi';
import { readSteps } from '../../queries/order-story.ts';
import { requireOrder } from '../../queries/orders.ts';
import { sagaStepSchema, sagaStepView } from '../../views/story.ts';
import { keyed } from '../auth.ts';
import type { Api, Dependencies } from '../environment.ts';
import { COMMON, problems } from '../errors.ts';
import { sagaSteps } from '../examples/orders.ts';
import { idParams, json } from '../schemas/common.ts';

const route = createRoute({
  method: 'get',
  path: '/v1/orders/{id}/saga',
  tags: ['Orders'],
  summary: 'What was done for an order, what was undone, and what could not be',
  ...keyed('getOrderSaga'),
  request: { params: idParams },
  responses: {
    200: {
      description: 'Every step and compensation of all generations, in order',
      content: json(z.strictObject({ data: z.array(sagaStepSchema) }), { retrying: { data: sagaSteps } }),
    },
    ...problems('unauthenticated', 'not_found', ...COMMON),
  },
});

export const getOrderSaga = (api: Api, { db }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    await requireOrder(db, c.var.caller, id);
    const steps = await readSteps(db, id);
    return c.json({ data: steps.map((step) => sagaStepView(step, c.var.caller)) }, 200);
  });
