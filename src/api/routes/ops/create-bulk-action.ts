import { createRoute, z } from '@hono/zod-openapi';
import { bulkActionRequestSchema } from '../../../contracts/bulk-actions.ts';
import { actorOf } from '../../../contracts/caller.ts';
import { startBulkAction, writeBulkAction } from '../../../operate/bulk-actions.ts';
import { planBulkAction } from '../../../queries/bulk-action-plan.ts';
import { createOnce } from '../../../records/idempotency.ts';
import { bulkActionPlanSchema, bulkActionSchema, loadBulkAction } from '../../../views/bulk-action.ts';
import { keyed } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { problems, WITH_BODY } from '../../errors.ts';
import { bulkActionPlan, restartByIds, retryByFilter, retryFailedAgain, runningBulkAction } from '../../examples/bulk-actions.ts';
import { json, jsonBody, named } from '../../schemas/common.ts';
import { IDEMPOTENCY_REPLAYED, LOCATION, RETRY_AFTER } from '../../schemas/header.ts';
import { acceptedHeaders, idempotentRequest, optionalIdempotencyHeader } from '../../schemas/idempotency.ts';

const bodySchema = named('BulkActionRequest', bulkActionRequestSchema).openapi({
  oneOf: [{ required: ['filter'] }, { required: ['ids'] }, { required: ['failedAgainIn'] }],
});

const route = createRoute({
  method: 'post',
  path: '/v1/ops/bulk-actions',
  tags: ['Operations'],
  summary: 'Retry, cancel or restart many at once',
  description:
    'The items are fixed when it starts. With `dryRun` nothing is done, and the answer says what would be. ' +
    'Give a `filter` or `ids`: of failures for `retry` (parked orders, and emails that could not be sent) and `cancel` ' +
    '(parked orders), of orders for `restart`. Or give `failedAgainIn`, to act on what failed again in an earlier bulk action.',
  ...keyed('createBulkAction'),
  parameters: [optionalIdempotencyHeader],
  request: { body: jsonBody(bodySchema, { retryByFilter, dryRunByIds: restartByIds, retryFailedAgain }) },
  responses: {
    200: { description: 'What would be done', content: json(bulkActionPlanSchema, { plan: bulkActionPlan }) },
    202: {
      description: 'Started',
      headers: { Location: LOCATION, 'Retry-After': RETRY_AFTER, 'Idempotency-Replayed': IDEMPOTENCY_REPLAYED },
      content: json(bulkActionSchema, { running: runningBulkAction }),
    },
    ...problems('invalid_idempotency_key', 'unauthenticated', 'forbidden', 'idempotency_key_reused', ...WITH_BODY),
  },
});

export const createBulkAction = (api: Api, { db, links }: Dependencies) =>
  api.openapi(route, async (c) => {
    const request = c.req.valid('json');
    if (request.dryRun) return c.json(await planBulkAction(db, request), 200);

    const { caller } = c.var;
    const idempotent = c.req.header('Idempotency-Key') === undefined ? undefined : idempotentRequest(c, request);
    const { made: id, repeated } = idempotent
      ? await createOnce(db, caller, idempotent, z.uuid(), async (tx) => {
          const made = await writeBulkAction(tx, request, actorOf(caller));
          return { made, location: links.bulkAction(made).self };
        })
      : { made: await startBulkAction(db, request, actorOf(caller)), repeated: false };
    const headers = acceptedHeaders({ location: links.bulkAction(id).self, repeated });
    return c.json(await loadBulkAction(db, links, id), 202, headers);
  });
