import { createRoute } from '@hono/zod-openapi';
import { keyed } from '../auth.ts';
import type { Api, Dependencies } from '../environment.ts';
import { COMMON, problems } from '../errors.ts';
import { pendingSignup, trialSignup } from '../examples/signups.ts';
import { idParams, json } from '../schemas/common.ts';
import { readSignup } from '../../queries/signups.ts';
import { signupSchema, signupView } from '../../views/signup.ts';

const route = createRoute({
  method: 'get',
  path: '/v1/signups/{id}',
  tags: ['Signups'],
  summary: 'One signup as it is now',
  ...keyed('getSignup'),
  request: { params: idParams },
  responses: {
    200: { description: 'The signup', content: json(signupSchema, { pending: pendingSignup, onTrial: trialSignup }) },
    ...problems('unauthenticated', 'not_found', ...COMMON),
  },
});

export const getSignup = (api: Api, { db, links }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { caller } = c.var;
    return c.json(signupView(await readSignup(db, caller, c.req.valid('param').id), links, caller), 200);
  });
