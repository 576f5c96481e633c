import { createRoute } from '@hono/zod-openapi';
import { searchSignups as search, signupSearchSchema } from '../../../queries/signups.ts';
import { cutPage, pageOf } from '../../../views/page.ts';
import { signupSchema, signupView } from '../../../views/signup.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { COMMON, problems } from '../../errors.ts';
import { json } from '../../schemas/common.ts';
import { pageQuery } from '../../schemas/page.ts';

const route = createRoute({
  method: 'get',
  path: '/v1/ops/signups',
  tags: ['Operations'],
  summary: 'Signups by id, email address or status; newest first',
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
    const { page, nextCursor } = cutPage(await search(db, query, { limit, cursor }), limit, ({ id }) => id);
    return c.json({ data: page.map((signup) => signupView(signup, links)), nextCursor }, 200);
  });
