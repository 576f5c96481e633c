import { createRoute, z } from '@hono/zod-openapi';
import { QUEUE_NAMES } from '../../../contracts/names.ts';
import { ORDER_STATUSES } from '../../../contracts/statuses.ts';
import { readQueues, readShop } from '../../../ops/queues.ts';
import { askTemporal } from '../../../ops/temporal.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { COMMON, problems } from '../../errors.ts';
import { json } from '../../schemas/common.ts';
import { temporalHealth } from '../../views/run.ts';

const backlogSchema = z
  .strictObject({
    pollers: z.int(),
    backlog: z.int().openapi({ description: 'Tasks that wait, by estimate' }),
    backlogAge: z.int().openapi({ description: 'How long the oldest waits, in ms' }),
    addedPerSecond: z.number(),
    dispatchedPerSecond: z.number(),
  })
  .openapi('TaskBacklog');

const queueSchema = z
  .strictObject({
    queue: z.enum(QUEUE_NAMES),
    taskQueue: z.string(),
    workflows: backlogSchema,
    activities: backlogSchema,
    warning: z.string().nullable().openapi({ example: 'no workers polling' }),
  })
  .openapi('Queue');

const shopSchema = z
  .strictObject({
    commandsWaiting: z.int(),
    oldestCommandAge: z.int().openapi({ description: 'In ms' }),
    ordersByStatus: z.array(z.strictObject({ status: z.enum(ORDER_STATUSES), count: z.int() })),
    openFailures: z.int(),
    startsPerMinute: z.number(),
    completionsPerMinute: z.number(),
    failureRate: z.number().openapi({ description: 'Of the orders that ended, the share that failed: 0 to 1' }),
  })
  .openapi('Shop', { description: 'Exact counts. Rates are over the last ten minutes' });

const route = createRoute({
  method: 'get',
  path: '/v1/ops/queues',
  tags: ['Operations'],
  summary: 'What waits, how long, and who works on it',
  ...allow(OPERATORS),
  responses: {
    200: {
      description: 'The queues as Temporal estimates them, and what Holdfast itself counts',
      content: json(
        z.strictObject({
          shop: shopSchema,
          queues: z.array(queueSchema).nullable().openapi({ description: 'null while Temporal is away' }),
          temporal: temporalHealth,
        }),
      ),
    },
    ...problems('unauthenticated', 'forbidden', ...COMMON),
  },
});

export const getQueues = (api: Api, { db, temporal: client }: Dependencies) =>
  api.openapi(route, async (c) => {
    const [shop, { temporal, answer }] = await Promise.all([
      readShop(db),
      askTemporal(client, async () => await readQueues(client)),
    ]);
    const queues = answer && answer.map(({ warning, ...queue }) => ({ ...queue, warning: warning ?? null }));
    return c.json({ shop, queues, temporal }, 200);
  });
