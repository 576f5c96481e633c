import { createRoute, z } from '@hono/zod-openapi';
import { replayRequestSchema } from '../../../contracts/failures.ts';
import { actorOf } from '../../../intake/caller.ts';
import { createOnce } from '../../../intake/idempotency.ts';
import { createReplay as create, planReplay } from '../../../intake/replays.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { problems, WITH_BODY } from '../../errors.ts';
import { header, json, jsonBody, line } from '../../schemas/common.ts';
import { failureFilter } from '../../schemas/failure-filter.ts';
import { acceptedHeaders, idempotentRequest, optionalIdempotencyHeaders } from '../../schemas/idempotency.ts';
import { loadReplay, replaySchema } from '../../views/replay.ts';

const requestSchema = replayRequestSchema
  .safeExtend({ filter: failureFilter.optional(), reason: line(500) })
  .openapi('BulkReplayRequest');

const planSchema = z
  .strictObject({
    matching: z.int(),
    accepted: z.int(),
    refused: z.array(z.strictObject({ reason: z.string(), count: z.int() })),
    sums: z
      .array(z.strictObject({ currency: z.string(), amount: z.int() }))
      .openapi({ description: 'Of what would not be refused, in minor units' }),
    sample: z.array(
      z.strictObject({
        orderId: z.uuid(),
        failureId: z.uuid().nullable(),
        amount: z.int(),
        currency: z.string(),
        refusal: z.string().nullable(),
      }),
    ),
  })
  .openapi('BulkReplayPlan');

const route = createRoute({
  method: 'post',
  path: '/v1/ops/replays',
  tags: ['Operations'],
  summary: 'Retry, cancel or replay many at once',
  description:
    'What it is about is fixed when it begins. With `dryRun`, nothing is done: the answer says what would be. ' +
    'Give either a `filter` or `ids`: of failures for `retry` and `cancel`, of orders for `replay`.',
  ...allow(OPERATORS),
  request: { headers: optionalIdempotencyHeaders, body: jsonBody(requestSchema) },
  responses: {
    200: { description: 'What would be done', content: json(planSchema) },
    202: {
      description: 'Begun',
      headers: {
        Location: header('The bulk replay'),
        'Retry-After': header('When to look, in seconds'),
        'Idempotency-Replayed': header('`true` when this repeats an earlier answer'),
      },
      content: json(replaySchema),
    },
    ...problems('invalid_idempotency_key', 'unauthenticated', 'forbidden', 'idempotency_key_reused', ...WITH_BODY),
  },
});

export const createReplay = (api: Api, { db, links }: Dependencies) =>
  api.openapi(route, async (c) => {
    const request = c.req.valid('json');
    if (request.dryRun) return c.json(await planReplay(db, request), 200);

    const { caller } = c.var;
    const by = { actor: actorOf(caller) };
    const asked = c.req.header('Idempotency-Key') === undefined ? undefined : idempotentRequest(c, request);
    const { made: id, replayed } = asked
      ? await createOnce(db, caller, asked, z.uuid(), async (tx) => {
          const made = await create(tx, request, by);
          return { made, location: links.replay(made).self };
        })
      : { made: await create(db, request, by), replayed: false };
    const headers = acceptedHeaders({ location: links.replay(id).self, replayed });
    return c.json(await loadReplay(db, links, id), 202, headers);
  });
