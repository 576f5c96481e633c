import { z } from '@hono/zod-openapi';
import { readLatencies } from '../../../queries/latency.ts';
import { readSeries, SERIES_SPANS } from '../../../queries/series.ts';
import { orNull, time } from '../../../views/common.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { queryRoute } from '../../read-operation.ts';

const bucketSchema = z
  .strictObject({ at: time, starts: z.int(), completions: z.int(), failures: z.int() })
  .openapi('Bucket');

const latencySchema = orNull(
  z
    .strictObject({
      p50: z.int().openapi({ description: 'In ms' }),
      p95: z.int().openapi({ description: 'In ms' }),
      orders: z.int().openapi({ description: 'How many orders were measured' }),
    })
    .openapi('Latency'),
);

const latenciesSchema = z
  .strictObject({ charged: latencySchema, shipped: latencySchema })
  .openapi('Latencies', {
    description: 'How long orders took from accepted to a status: of those that reached it lately, at most a day ago. null without any',
  });

const route = queryRoute(
  'getSeries',
  '/v1/ops/series',
  {
    summary: 'Orders started and completed, and failures opened, over time; and how long orders take',
    description: 'The last hour by the minute, or the last day by the half hour; oldest first.',
  },
  z.strictObject({ span: z.enum(SERIES_SPANS).default('hour') }),
  z.strictObject({ span: z.enum(SERIES_SPANS), data: z.array(bucketSchema), latencies: latenciesSchema }),
  {
    hour: {
      span: 'hour',
      data: [{ at: '2026-11-24T08:15:00.000Z', starts: 84, completions: 80, failures: 1 }],
      latencies: { charged: { p50: 420, p95: 1_900, orders: 610 }, shipped: null },
    },
  },
);

export const getSeries = (api: Api, { db }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { span } = c.req.valid('query');
    const [buckets, latencies] = await Promise.all([readSeries(db, span), readLatencies(db)]);
    return c.json({ span, data: buckets.map(({ at, ...counts }) => ({ at: at.toISOString(), ...counts })), latencies }, 200);
  });
