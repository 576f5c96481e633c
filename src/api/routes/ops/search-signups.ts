import { createRoute } from '@hono/zod-openapi';
import { searchSignups as search, signupSearchSchema } from '../../../ops/search.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { COMMON, problems } from '../../errors.ts';
import { json } from '../../schemas/common.ts';
import { cutPage, pageOf, pageQuery } from '../../schemas/page.ts';
import { signupSchema, signupView } from '../../views/signup.ts';

const route = createRoute({
  method: 'get',
  path: '/v1/ops/signups',
  tags: ['Operations'],
  summary: 'Signups by id, address or status; the newest first',
  ...allow(OPERATORS),
  request: { query: pageQuery.extend(signupSearchSchema.shape) },
  responses: {
    200: { description: 'One page', content: json(pageOf(signupSchema)) },
    ...problems('unauthenticated', 'forbidden', 'invalid_fields', ...COMMON),
  },
});

export const searchSignups = (api: Api, { db, links }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { limit, cursor, ...query } = c.req.valid('query');
    const { page, nextCursor } = cutPage(await search(db, query, { limit, cursor }), limit);
    return c.json({ data: page.map((row) => signupView(row, links)), nextCursor }, 200);
  });
