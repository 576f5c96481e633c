import { loadSignupStory } from '../../../queries/story-with-run.ts';
import { signupStorySchema, signupStoryView } from '../../../views/story.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { signupStory } from '../../examples/stories.ts';
import { idRoute } from '../../read-operation.ts';

const route = idRoute(
  'getSignupStory',
  '/v1/ops/signups/{id}',
  {
    summary: 'The whole story of a signup, and what it is waiting for',
    description: 'Each list is oldest first.',
  },
  signupStorySchema,
  { pending: signupStory },
);

export const getSignupStory = (api: Api, deps: Dependencies) =>
  api.openapi(route, async (c) =>
    c.json(signupStoryView(await loadSignupStory(deps, c.req.valid('param').id), deps.links, c.var.caller), 200),
  );
