import { searchSignups as search, signupSearchSchema } from '../../../queries/signups.ts';
import { cutPage, pageOf } from '../../../views/page.ts';
import { signupSchema, signupView } from '../../../views/signup.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { trialSignup } from '../../examples/signups.ts';
import { queryRoute } from '../../read-operation.ts';
import { pageQuery } from '../../schemas/page.ts';

const route = queryRoute(
  'searchSignups',
  '/v1/ops/signups',
  { summary: 'Signups by id, email address or status; newest first' },
  pageQuery.extend(signupSearchSchema.shape),
  pageOf(signupSchema),
  { lastPage: { data: [trialSignup], nextCursor: null } },
);

export const searchSignups = (api: Api, { db, links }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { limit, cursor, ...query } = c.req.valid('query');
    const { page, nextCursor } = cutPage(await search(db, query, { limit, cursor }), limit, ({ id }) => id);
    return c.json({ data: page.map((signup) => signupView(signup, links, c.var.caller)), nextCursor }, 200);
  });
