import { createRoute } from '@hono/zod-openapi';
import { loadFailureStory } from '../../../queries/story-with-run.ts';
import { failureStorySchema, failureWithRunView } from '../../../views/story.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { COMMON, problems } from '../../errors.ts';
import { idParams, json } from '../../schemas/common.ts';

const route = createRoute({
  method: 'get',
  path: '/v1/ops/failures/{id}',
  tags: ['Operations'],
  summary: 'A failure, its history, and what its run is doing now',
  ...allow(OPERATORS),
  request: { params: idParams },
  responses: {
    200: { description: 'The failure', content: json(failureStorySchema) },
    ...problems('unauthenticated', 'forbidden', 'not_found', ...COMMON),
  },
});

export const getFailure = (api: Api, deps: Dependencies) =>
  api.openapi(route, async (c) =>
    c.json(failureWithRunView(await loadFailureStory(deps, c.req.valid('param').id), deps.links), 200),
  );
