import { listBulkActions as list } from '../../../queries/bulk-actions.ts';
import { bulkActionSchema, bulkActionView } from '../../../views/bulk-action.ts';
import { cutPage, pageOf } from '../../../views/page.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { runningBulkAction } from '../../examples/bulk-actions.ts';
import { queryRoute } from '../../read-operation.ts';
import { pageQuery } from '../../schemas/page.ts';

const route = queryRoute(
  'listBulkActions',
  '/v1/ops/bulk-actions',
  { summary: 'Bulk actions, newest first' },
  pageQuery,
  pageOf(bulkActionSchema),
  { lastPage: { data: [runningBulkAction], nextCursor: null } },
);

export const listBulkActions = (api: Api, { db, links }: Dependencies) =>
  api.openapi(route, async (c) => {
    const query = c.req.valid('query');
    const { page, nextCursor } = cutPage(await list(db, query), query.limit, ({ bulkAction }) => bulkAction.id);
    return c.json({ data: page.map((found) => bulkActionView(found, links)), nextCursor }, 200);
  });
