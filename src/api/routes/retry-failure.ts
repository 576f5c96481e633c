import { createRoute } from '@hono/zod-openapi';
import { actorOf } from '../../intake/caller.ts';
import { requestRetry } from '../../intake/failure-actions.ts';
import { allow, OPERATORS } from '../auth.ts';
import type { Api, Dependencies } from '../environment.ts';
import { problems, WITH_BODY } from '../errors.ts';
import { address } from '../schemas/address.ts';
import { idParams, json, jsonBody, reasonBody } from '../schemas/common.ts';
import { failureSchema, loadFailure } from '../views/failure.ts';

const retrySchema = reasonBody
  .extend({ shippingAddress: address.optional().openapi({ description: 'Corrects where the parcel goes' }) })
  .openapi('FailureRetry');

const route = createRoute({
  method: 'post',
  path: '/v1/ops/failures/{id}/retry',
  tags: ['Operations'],
  summary: 'Have a parked order try its failed step again',
  description: 'With fresh retries, from the failed step on: what was done before it stays done.',
  ...allow(OPERATORS),
  request: { params: idParams, body: jsonBody(retrySchema) },
  responses: {
    202: { description: 'Taken', content: json(failureSchema) },
    ...problems('unauthenticated', 'forbidden', 'not_found', 'failure_not_open', 'already_requested', ...WITH_BODY),
  },
});

export const retryFailure = (api: Api, { db, links }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const { reason, shippingAddress } = c.req.valid('json');
    await requestRetry(db, id, { actor: actorOf(c.var.caller), reason }, shippingAddress ? { shippingAddress } : {});
    return c.json(await loadFailure(db, links, id), 202);
  });
