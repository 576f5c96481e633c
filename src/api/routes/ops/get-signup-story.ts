import { createRoute } from '@hono/zod-openapi';
import { notFound } from '../../../intake/errors.ts';
import { tellSignup } from '../../../ops/signup-story.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { COMMON, problems } from '../../errors.ts';
import { idParams, json } from '../../schemas/common.ts';
import { signupView } from '../../views/signup.ts';
import { signupStorySchema, toldView } from '../../views/story.ts';

const route = createRoute({
  method: 'get',
  path: '/v1/ops/signups/{id}',
  tags: ['Operations'],
  summary: 'The whole story of a signup, and why it waits',
  description: 'Each list the oldest first.',
  ...allow(OPERATORS),
  request: { params: idParams },
  responses: {
    200: { description: 'The story', content: json(signupStorySchema) },
    ...problems('unauthenticated', 'forbidden', 'not_found', ...COMMON),
  },
});

export const getSignupStory = (api: Api, { db, links, temporal: client }: Dependencies) =>
  api.openapi(route, async (c) => {
    const told = await tellSignup({ db, client }, c.req.valid('param').id);
    if (!told) throw notFound('signup');
    return c.json({ signup: signupView(told.story.signup, links), ...toldView(told, links) }, 200);
  });
