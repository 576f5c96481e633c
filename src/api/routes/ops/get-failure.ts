import { createRoute, z } from '@hono/zod-openapi';
import { notFound } from '../../../intake/errors.ts';
import { readFailure } from '../../../ops/failures.ts';
import { describeRun } from '../../../ops/runs.ts';
import { askTemporal } from '../../../ops/temporal.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { COMMON, problems } from '../../errors.ts';
import { idParams, json } from '../../schemas/common.ts';
import { failureEventSchema, failureSchema, failureView } from '../../views/failure.ts';
import { pendingActivitySchema, pendingActivityView, temporalHealth } from '../../views/run.ts';

const failureStorySchema = failureSchema
  .extend({
    events: z.array(failureEventSchema).openapi({ description: 'Who did what and why, the oldest first' }),
    pending: z
      .array(pendingActivitySchema)
      .nullable()
      .openapi({ description: 'The activities that its run waits for; null when Temporal does not answer' }),
    temporal: temporalHealth,
  })
  .openapi('FailureStory');

const route = createRoute({
  method: 'get',
  path: '/v1/ops/failures/{id}',
  tags: ['Operations'],
  summary: 'A failure, what was done about it, and what its run is doing now',
  ...allow(OPERATORS),
  request: { params: idParams },
  responses: {
    200: { description: 'The failure', content: json(failureStorySchema) },
    ...problems('unauthenticated', 'forbidden', 'not_found', ...COMMON),
  },
});

export const getFailure = (api: Api, { db, links, temporal: client }: Dependencies) =>
  api.openapi(route, async (c) => {
    const found = await readFailure(db, c.req.valid('param').id);
    if (!found) throw notFound('failure');
    const { failure, events } = found;
    const { temporal, answer } = await askTemporal(client, async () => await describeRun(client, failure.workflowId));
    return c.json(
      {
        ...failureView(failure, links),
        events: events.map(({ type, actor, reason, at }) => ({ type, actor, reason, at: at.toISOString() })),
        pending: temporal === 'ok' ? (answer?.pendingActivities ?? []).map(pendingActivityView) : null,
        temporal,
      },
      200,
    );
  });
