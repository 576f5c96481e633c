import { createRoute, z } from '@hono/zod-openapi';
import { BULK_ACTION_OUTCOMES } from '../../../contracts/bulk-actions.ts';
import { notFound } from '../../../contracts/request-error.ts';
import { listBulkActionItems as list, readBulkAction } from '../../../queries/bulk-actions.ts';
import { bulkActionItemSchema, bulkActionItemView } from '../../../views/bulk-action.ts';
import { cutPage, pageOf } from '../../../views/page.ts';
import { keyed } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { COMMON, problems } from '../../errors.ts';
import { bulkActionItems } from '../../examples/bulk-actions.ts';
import { idParams, json } from '../../schemas/common.ts';
import { numberedPageQuery } from '../../schemas/page.ts';

const route = createRoute({
  method: 'get',
  path: '/v1/ops/bulk-actions/{id}/items',
  tags: ['Operations'],
  summary: 'The items of a bulk action, with their outcomes',
  description: 'In the order in which it acts. An outcome is written once, when what was asked for has succeeded or failed, and stays.',
  ...keyed('listBulkActionItems'),
  request: { params: idParams, query: numberedPageQuery.extend({ outcome: z.enum(BULK_ACTION_OUTCOMES).optional() }) },
  responses: {
    200: {
      description: 'One page',
      content: json(pageOf(bulkActionItemSchema), { lastPage: { data: bulkActionItems, nextCursor: null } }),
    },
    ...problems('unauthenticated', 'forbidden', 'not_found', 'invalid_fields', ...COMMON),
  },
});

export const listBulkActionItems = (api: Api, { db }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const { limit, cursor: after, outcome } = c.req.valid('query');
    const items = await list(db, id, { limit, after, outcome });
    if (items.length === 0 && !(await readBulkAction(db, id))) throw notFound('bulk action');
    const { page, nextCursor } = cutPage(items, limit, ({ position }) => position);
    return c.json({ data: page.map(bulkActionItemView), nextCursor }, 200);
  });
