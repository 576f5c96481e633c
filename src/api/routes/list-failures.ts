import { createRoute, z } from '@hono/zod-openapi';
import { and, eq, lt } from 'drizzle-orm';
import { FAILURE_STATUSES } from '../../contracts/statuses.ts';
import { failures } from '../../db/schema.ts';
import { allow, OPERATORS } from '../auth.ts';
import type { Api, Dependencies } from '../environment.ts';
import { COMMON, problems } from '../errors.ts';
import { json } from '../schemas/common.ts';
import { cutPage, pageOf, pageQuery } from '../schemas/page.ts';
import { failureSchema, loadFailures } from '../views/failure.ts';

const route = createRoute({
  method: 'get',
  path: '/v1/ops/failures',
  tags: ['Operations'],
  summary: 'What needs, or needed, a person; the newest first',
  ...allow(OPERATORS),
  request: { query: pageQuery.extend({ status: z.enum(FAILURE_STATUSES).optional() }) },
  responses: {
    200: { description: 'One page', content: json(pageOf(failureSchema)) },
    ...problems('unauthenticated', 'forbidden', 'invalid_fields', ...COMMON),
  },
});

export const listFailures = (api: Api, { db, links }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { status, limit, cursor } = c.req.valid('query');
    const where = and(
      status && eq(failures.status, status),
      cursor === undefined ? undefined : lt(failures.id, cursor),
    );
    const { page, nextCursor } = cutPage(await loadFailures(db, links, { where, limit: limit + 1 }), limit);
    return c.json({ data: page, nextCursor }, 200);
  });
