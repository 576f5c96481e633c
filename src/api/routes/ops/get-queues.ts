import { createRoute } from '@hono/zod-openapi';
import { readShop } from '../../../queries/shop.ts';
import { askTemporal } from '../../../temporal/availability.ts';
import { readQueues } from '../../../temporal/queues.ts';
import { queuesSchema, queuesView } from '../../../views/queues.ts';
import { keyed } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { COMMON, problems } from '../../errors.ts';
import { queues as queuesExample, queuesWithoutTemporal } from '../../examples/operations.ts';
import { json } from '../../schemas/common.ts';

const route = createRoute({
  method: 'get',
  path: '/v1/ops/queues',
  tags: ['Operations'],
  summary: 'What is waiting, for how long, and which workers are polling',
  ...keyed('getQueues'),
  responses: {
    200: {
      description: 'The queues as Temporal estimates them, and exact counts from Postgres',
      content: json(queuesSchema, { idle: queuesExample, withoutTemporal: queuesWithoutTemporal }),
    },
    ...problems('unauthenticated', 'forbidden', ...COMMON),
  },
});

export const getQueues = (api: Api, { db, temporal }: Dependencies) =>
  api.openapi(route, async (c) => {
    const [shop, queues] = await Promise.all([readShop(db), askTemporal(temporal, () => readQueues(temporal))]);
    return c.json(queuesView(shop, queues), 200);
  });
