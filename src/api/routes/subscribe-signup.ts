import { createRoute } from '@hono/zod-openapi';
import { subscribeSignup as subscribe } from '../../intake/signups.ts';
import { keyed } from '../auth.ts';
import type { Api, Dependencies } from '../environment.ts';
import { COMMON, problems } from '../errors.ts';
import { subscribedSignup } from '../examples/signups.ts';
import { idParams, json } from '../schemas/common.ts';
import { LOCATION } from '../schemas/header.ts';
import { readSignup } from '../../queries/signups.ts';
import { signupSchema, signupView } from '../../views/signup.ts';

const route = createRoute({
  method: 'post',
  path: '/v1/signups/{id}/subscription',
  tags: ['Signups'],
  summary: 'Turn a trial into a subscription',
  ...keyed('subscribeSignup'),
  request: { params: idParams },
  responses: {
    202: {
      description: 'Accepted',
      headers: { Location: LOCATION },
      content: json(signupSchema, { subscribed: subscribedSignup }),
    },
    ...problems('unauthenticated', 'not_found', 'signup_not_on_trial', ...COMMON),
  },
});

export const subscribeSignup = (api: Api, { db, links }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    await subscribe(db, c.var.caller, id);
    const signup = signupView(await readSignup(db, c.var.caller, id), links, c.var.caller);
    return c.json(signup, 202, { Location: signup.links.self });
  });
