import { createRoute, z } from '@hono/zod-openapi';
import { readSeries, SERIES_SPANS } from '../../../queries/series.ts';
import { time } from '../../../views/common.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { COMMON, problems } from '../../errors.ts';
import { json } from '../../schemas/common.ts';

const bucketSchema = z
  .strictObject({ at: time, starts: z.int(), completions: z.int(), failures: z.int() })
  .openapi('Bucket');

const route = createRoute({
  method: 'get',
  path: '/v1/ops/series',
  tags: ['Operations'],
  summary: 'Orders started and completed, and failures opened, over time',
  description: 'The last hour by the minute, or the last day by the half hour; oldest first.',
  ...allow(OPERATORS),
  request: { query: z.strictObject({ span: z.enum(SERIES_SPANS).default('hour') }) },
  responses: {
    200: {
      description: 'The buckets',
      content: json(z.strictObject({ span: z.enum(SERIES_SPANS), data: z.array(bucketSchema) })),
    },
    ...problems('unauthenticated', 'forbidden', 'invalid_fields', ...COMMON),
  },
});

export const getSeries = (api: Api, { db }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { span } = c.req.valid('query');
    const buckets = await readSeries(db, span);
    return c.json({ span, data: buckets.map(({ at, ...counts }) => ({ at: at.toISOString(), ...counts })) }, 200);
  });
