import { readRetrying } from '../../../queries/retrying.ts';
import { retryingSchema, retryingView } from '../../../views/retrying.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { retrying } from '../../examples/failures.ts';
import { queryRoute } from '../../read-operation.ts';
import { limitQuery } from '../../schemas/page.ts';

const route = queryRoute(
  'listRetrying',
  '/v1/ops/retrying',
  { summary: 'Steps that failed and are being retried, newest first' },
  limitQuery,
  retryingSchema,
  { retrying },
);

export const listRetrying = (api: Api, deps: Dependencies) =>
  api.openapi(route, async (c) =>
    c.json(retryingView(await readRetrying(deps, c.req.valid('query').limit), deps.links), 200),
  );
