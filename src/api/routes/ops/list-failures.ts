import { createRoute } from '@hono/zod-openapi';
import { failureFilterSchema } from '../../../contracts/failure-filter.ts';
import { listFailures as list } from '../../../queries/failures.ts';
import { failureSchema, failureView } from '../../../views/failure.ts';
import { cutPage, pageOf } from '../../../views/page.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { COMMON, problems } from '../../errors.ts';
import { json } from '../../schemas/common.ts';
import { pageQuery } from '../../schemas/page.ts';

const route = createRoute({
  method: 'get',
  path: '/v1/ops/failures',
  tags: ['Operations'],
  summary: 'Failures, newest first',
  ...allow(OPERATORS),
  request: { query: pageQuery.extend(failureFilterSchema.shape) },
  responses: {
    200: { description: 'One page', content: json(pageOf(failureSchema)) },
    ...problems('unauthenticated', 'forbidden', 'invalid_fields', ...COMMON),
  },
});

export const listFailures = (api: Api, { db, links }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { limit, cursor, ...filter } = c.req.valid('query');
    const { page, nextCursor } = cutPage(await list(db, filter, { limit, cursor }), limit, ({ id }) => id);
    return c.json({ data: page.map((failure) => failureView(failure, links)), nextCursor }, 200);
  });
