import { createRoute, z } from '@hono/zod-openapi';
import { FAILURE_KINDS } from '../../../contracts/statuses.ts';
import { countFailures as countBy } from '../../../ops/failures.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { COMMON, problems } from '../../errors.ts';
import { json } from '../../schemas/common.ts';
import { failureFilter } from '../../schemas/failure-filter.ts';

const countSchema = z
  .strictObject({ kind: z.enum(FAILURE_KINDS), step: z.string(), errorType: z.string(), count: z.int() })
  .openapi('FailureCount');

const route = createRoute({
  method: 'get',
  path: '/v1/ops/failures/counts',
  tags: ['Operations'],
  summary: 'How many failures match, by kind, step and error type; the most first',
  ...allow(OPERATORS),
  request: { query: failureFilter },
  responses: {
    200: {
      description: 'The counts',
      content: json(z.strictObject({ total: z.int(), data: z.array(countSchema) })),
    },
    ...problems('unauthenticated', 'forbidden', 'invalid_fields', ...COMMON),
  },
});

export const countFailures = (api: Api, { db }: Dependencies) =>
  api.openapi(route, async (c) => {
    const data = await countBy(db, c.req.valid('query'));
    return c.json({ total: data.reduce((sum, { count }) => sum + count, 0), data }, 200);
  });
