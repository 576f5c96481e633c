import { createRoute, z } from '@hono/zod-openapi';
import { line } from '../../contracts/fields.ts';
import { verifySignup as verify } from '../../intake/signups.ts';
import type { Api, Dependencies } from '../environment.ts';
import { problems, WITH_BODY } from '../errors.ts';
import { SIGNUP_ID } from '../examples/ids.ts';
import { idParams, json, jsonBody } from '../schemas/common.ts';

const tokenSchema = z.strictObject({ token: line(200) }).openapi('VerificationToken');
// Whoever holds a token learns nothing more.
const verifiedSchema = z.strictObject({ id: z.uuid(), status: z.literal('verified') }).openapi('VerifiedSignup');

const route = createRoute({
  method: 'post',
  path: '/v1/signups/{id}/verification',
  operationId: 'verifySignup',
  tags: ['Signups'],
  summary: 'Verify the address of a signup',
  description: 'The token comes with the email, and works once.',
  request: { params: idParams, body: jsonBody(tokenSchema, { fromEmail: { token: 'q3Z8yT0bR5mVn1KcX7dLwA' } }) },
  responses: {
    202: { description: 'Verified', content: json(verifiedSchema, { verified: { id: SIGNUP_ID, status: 'verified' } }) },
    ...problems('not_found', 'signup_expired', 'invalid_token', ...WITH_BODY),
  },
});

export const verifySignup = (api: Api, { db }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    await verify(db, id, c.req.valid('json').token);
    return c.json({ id, status: 'verified' as const }, 202);
  });
