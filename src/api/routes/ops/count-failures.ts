import { createRoute } from '@hono/zod-openapi';
import { failureFilterSchema } from '../../../contracts/failure-filter.ts';
import { countFailures as countBy } from '../../../queries/failures.ts';
import { failureCountsSchema, failureCountsView } from '../../../views/failure.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { COMMON, problems } from '../../errors.ts';
import { json } from '../../schemas/common.ts';

const route = createRoute({
  method: 'get',
  path: '/v1/ops/failures/counts',
  tags: ['Operations'],
  summary: 'How many failures match, by kind, step and error type; most first',
  ...allow(OPERATORS),
  request: { query: failureFilterSchema },
  responses: {
    200: { description: 'The counts', content: json(failureCountsSchema) },
    ...problems('unauthenticated', 'forbidden', 'invalid_fields', ...COMMON),
  },
});

export const countFailures = (api: Api, { db }: Dependencies) =>
  api.openapi(route, async (c) => c.json(failureCountsView(await countBy(db, c.req.valid('query'))), 200));
