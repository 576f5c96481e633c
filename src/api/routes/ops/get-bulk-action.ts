import { createRoute } from '@hono/zod-openapi';
import { bulkActionSchema, loadBulkAction } from '../../../views/bulk-action.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { COMMON, problems } from '../../errors.ts';
import { idParams, json } from '../../schemas/common.ts';

const route = createRoute({
  method: 'get',
  path: '/v1/ops/bulk-actions/{id}',
  tags: ['Operations'],
  summary: 'A bulk action and its progress',
  ...allow(OPERATORS),
  request: { params: idParams },
  responses: {
    200: { description: 'The bulk action', content: json(bulkActionSchema) },
    ...problems('unauthenticated', 'forbidden', 'not_found', ...COMMON),
  },
});

export const getBulkAction = (api: Api, { db, links }: Dependencies) =>
  api.openapi(route, async (c) => c.json(await loadBulkAction(db, links, c.req.valid('param').id), 200));
