import { bulkActionSchema, loadBulkAction } from '../../../views/bulk-action.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { runningBulkAction } from '../../examples/bulk-actions.ts';
import { idRoute } from '../../read-operation.ts';

const route = idRoute(
  'getBulkAction',
  '/v1/ops/bulk-actions/{id}',
  { summary: 'A bulk action and its progress' },
  bulkActionSchema,
  { running: runningBulkAction },
);

export const getBulkAction = (api: Api, { db, links }: Dependencies) =>
  api.openapi(route, async (c) => c.json(await loadBulkAction(db, links, c.req.valid('param').id), 200));
