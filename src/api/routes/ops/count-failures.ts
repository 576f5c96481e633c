import { failureFilterSchema } from '../../../contracts/failure-filter.ts';
import { countFailures as countBy } from '../../../queries/failures.ts';
import { failureCountsSchema, failureCountsView } from '../../../views/failure.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { failureCounts } from '../../examples/failures.ts';
import { queryRoute } from '../../read-operation.ts';

const route = queryRoute(
  'countFailures',
  '/v1/ops/failures/counts',
  { summary: 'How many failures match, by kind, step and error type; most first' },
  failureFilterSchema,
  failureCountsSchema,
  { counts: failureCounts },
);

export const countFailures = (api: Api, { db }: Dependencies) =>
  api.openapi(route, async (c) => c.json(failureCountsView(await countBy(db, c.req.valid('query'))), 200));
