import { createRoute } from '@hono/zod-openapi';
import { listBulkActions as list } from '../../../queries/bulk-actions.ts';
import { bulkActionSchema, bulkActionView } from '../../../views/bulk-action.ts';
import { cutPage, pageOf } from '../../../views/page.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { COMMON, problems } from '../../errors.ts';
import { json } from '../../schemas/common.ts';
import { pageQuery } from '../../schemas/page.ts';

const route = createRoute({
  method: 'get',
  path: '/v1/ops/bulk-actions',
  tags: ['Operations'],
  summary: 'Bulk actions, newest first',
  ...allow(OPERATORS),
  request: { query: pageQuery },
  responses: {
    200: { description: 'One page', content: json(pageOf(bulkActionSchema)) },
    ...problems('unauthenticated', 'forbidden', 'invalid_fields', ...COMMON),
  },
});

export const listBulkActions = (api: Api, { db, links }: Dependencies) =>
  api.openapi(route, async (c) => {
    const query = c.req.valid('query');
    const { page, nextCursor } = cutPage(await list(db, query), query.limit, ({ bulkAction }) => bulkAction.id);
    return c.json({ data: page.map((found) => bulkActionView(found, links)), nextCursor }, 200);
  });
