import { createRoute } from '@hono/zod-openapi';
import { loadSignupStory } from '../../../queries/story-with-run.ts';
import { signupStorySchema, signupStoryView } from '../../../views/story.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { COMMON, problems } from '../../errors.ts';
import { idParams, json } from '../../schemas/common.ts';

const route = createRoute({
  method: 'get',
  path: '/v1/ops/signups/{id}',
  tags: ['Operations'],
  summary: 'The whole story of a signup, and what it is waiting for',
  description: 'Each list is oldest first.',
  ...allow(OPERATORS),
  request: { params: idParams },
  responses: {
    200: { description: 'The story', content: json(signupStorySchema) },
    ...problems('unauthenticated', 'forbidden', 'not_found', ...COMMON),
  },
});

export const getSignupStory = (api: Api, deps: Dependencies) =>
  api.openapi(route, async (c) =>
    c.json(signupStoryView(await loadSignupStory(deps, c.req.valid('param').id), deps.links), 200),
  );
