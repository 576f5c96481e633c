import { createRoute, z } from '@hono/zod-openapi';
import { email, personName } from '../../contracts/fields.ts';
import { acceptSignup } from '../../intake/signups.ts';
import { keyed } from '../auth.ts';
import type { Api, Dependencies } from '../environment.ts';
import { problems, WITH_BODY } from '../errors.ts';
import { newSignup, pendingSignup } from '../examples/signups.ts';
import { json, jsonBody } from '../schemas/common.ts';
import { IDEMPOTENCY_REPLAYED, LOCATION, RETRY_AFTER } from '../schemas/header.ts';
import { acceptedHeaders, idempotencyHeader, idempotentRequest } from '../schemas/idempotency.ts';
import { acceptedSignupView, signupSchema } from '../../views/signup.ts';

export const newSignupSchema = z.strictObject({ email, name: personName }).openapi('NewSignup');

const route = createRoute({
  method: 'post',
  path: '/v1/signups',
  tags: ['Signups'],
  summary: 'Sign up',
  description: 'Sends an email with a link to verify the address. An address has at most one open signup.',
  ...keyed('createSignup'),
  parameters: [idempotencyHeader],
  request: { body: jsonBody(newSignupSchema, { ada: newSignup }) },
  responses: {
    202: {
      description: 'Accepted',
      headers: { Location: LOCATION, 'Retry-After': RETRY_AFTER, 'Idempotency-Replayed': IDEMPOTENCY_REPLAYED },
      content: json(signupSchema, { accepted: pendingSignup }),
    },
    ...problems('invalid_idempotency_key', 'unauthenticated', 'email_taken', 'idempotency_key_reused', ...WITH_BODY),
  },
});

export const createSignup = (api: Api, { db, links }: Dependencies) =>
  api.openapi(route, async (c) => {
    const signup = c.req.valid('json');
    const accepted = await acceptSignup(db, c.get('caller'), { ...idempotentRequest(c, signup), signup });
    return c.json(acceptedSignupView(accepted.made, links, c.get('caller')), 202, acceptedHeaders(accepted));
  });
