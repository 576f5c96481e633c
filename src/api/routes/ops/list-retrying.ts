import { createRoute } from '@hono/zod-openapi';
import { readRetrying } from '../../../queries/retrying.ts';
import { retryingSchema, retryingView } from '../../../views/retrying.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { COMMON, problems } from '../../errors.ts';
import { json } from '../../schemas/common.ts';
import { limitQuery } from '../../schemas/page.ts';

const route = createRoute({
  method: 'get',
  path: '/v1/ops/retrying',
  tags: ['Operations'],
  summary: 'Steps that failed and are being retried, newest first',
  ...allow(OPERATORS),
  request: { query: limitQuery },
  responses: {
    200: { description: 'The steps', content: json(retryingSchema) },
    ...problems('unauthenticated', 'forbidden', 'invalid_fields', ...COMMON),
  },
});

export const listRetrying = (api: Api, deps: Dependencies) =>
  api.openapi(route, async (c) =>
    c.json(retryingView(await readRetrying(deps, c.req.valid('query').limit), deps.links), 200),
  );
