import { z } from '@hono/zod-openapi';
import { readSeries, SERIES_SPANS } from '../../../queries/series.ts';
import { time } from '../../../views/common.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { queryRoute } from '../../read-operation.ts';

const bucketSchema = z
  .strictObject({ at: time, starts: z.int(), completions: z.int(), failures: z.int() })
  .openapi('Bucket');

const route = queryRoute(
  'getSeries',
  '/v1/ops/series',
  {
    summary: 'Orders started and completed, and failures opened, over time',
    description: 'The last hour by the minute, or the last day by the half hour; oldest first.',
  },
  z.strictObject({ span: z.enum(SERIES_SPANS).default('hour') }),
  z.strictObject({ span: z.enum(SERIES_SPANS), data: z.array(bucketSchema) }),
  { hour: { span: 'hour', data: [{ at: '2026-11-24T08:15:00.000Z', starts: 84, completions: 80, failures: 1 }] } },
);

export const getSeries = (api: Api, { db }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { span } = c.req.valid('query');
    const buckets = await readSeries(db, span);
    return c.json({ span, data: buckets.map(({ at, ...counts }) => ({ at: at.toISOString(), ...counts })) }, 200);
  });
