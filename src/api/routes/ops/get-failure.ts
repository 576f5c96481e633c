import { loadFailureStory } from '../../../queries/story-with-run.ts';
import { failureStorySchema, failureWithRunView } from '../../../views/story.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { failureStory, failureStoryWithoutTemporal } from '../../examples/stories.ts';
import { idRoute } from '../../read-operation.ts';

const route = idRoute(
  'getFailure',
  '/v1/ops/failures/{id}',
  { summary: 'A failure, its history, and what its run is doing now' },
  failureStorySchema,
  { found: failureStory, withoutTemporal: failureStoryWithoutTemporal },
);

export const getFailure = (api: Api, deps: Dependencies) =>
  api.openapi(route, async (c) =>
    c.json(failureWithRunView(await loadFailureStory(deps, c.req.valid('param').id), deps.links), 200),
  );
