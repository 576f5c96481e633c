import { z } from '@hono/zod-openapi';
import { QUEUE_NAMES } from '../contracts/names.ts';
import { ORDER_STATUSES } from '../contracts/statuses.ts';
import type { ShopState } from '../queries/shop.ts';
import type { TemporalAnswer } from '../temporal/availability.ts';
import type { QueueState } from '../temporal/queues.ts';
import { temporalHealth } from './run.ts';

const backlogSchema = z
  .strictObject({
    pollers: z.int().openapi({ description: 'Seen within the last 70 seconds' }),
    backlog: z.int().openapi({ description: 'Waiting tasks, by estimate' }),
    backlogAge: z.int().openapi({ description: 'How long the oldest has been waiting, in ms' }),
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
    failureRate: z.number().openapi({ description: 'The share of finished orders that failed, 0 to 1' }),
  })
  .openapi('Shop', { description: 'Exact counts. Rates are over the last ten minutes' });

export const queuesSchema = z.strictObject({
  shop: shopSchema,
  queues: z.array(queueSchema).nullable().openapi({ description: 'null while Temporal is away' }),
  temporal: temporalHealth,
});

/** @returns the queues as API and command line show them */
export const queuesView = (
  shop: ShopState,
  { temporal, answer }: TemporalAnswer<QueueState[]>,
): z.infer<typeof queuesSchema> => ({
  shop,
  queues: answer && answer.map(({ warning = null, polledBy: _polledBy, ...queue }) => ({ ...queue, warning })),
  temporal,
});
