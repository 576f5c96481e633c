import { createRoute } from '@hono/zod-openapi';
import { listReplays as list } from '../../../ops/replays.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { COMMON, problems } from '../../errors.ts';
import { json } from '../../schemas/common.ts';
import { cutPage, pageOf, pageQuery } from '../../schemas/page.ts';
import { replaySchema, replayView } from '../../views/replay.ts';

const route = createRoute({
  method: 'get',
  path: '/v1/ops/replays',
  tags: ['Operations'],
  summary: 'Bulk replays, the newest first',
  ...allow(OPERATORS),
  request: { query: pageQuery },
  responses: {
    200: { description: 'One page', content: json(pageOf(replaySchema)) },
    ...problems('unauthenticated', 'forbidden', 'invalid_fields', ...COMMON),
  },
});

export const listReplays = (api: Api, { db, links }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { limit, cursor } = c.req.valid('query');
    const states = (await list(db, { limit, cursor })).map((state) => replayView(state, links));
    const { page, nextCursor } = cutPage(states, limit);
    return c.json({ data: page, nextCursor }, 200);
  });
