import { createRoute, z } from '@hono/zod-openapi';
import { readRetryingSteps, withPendingActivity } from '../../../ops/retrying.ts';
import { askTemporal } from '../../../ops/temporal.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { COMMON, problems } from '../../errors.ts';
import { json } from '../../schemas/common.ts';
import { pendingActivitySchema, pendingActivityView, temporalHealth } from '../../views/run.ts';

const retryingSchema = z
  .strictObject({
    orderId: z.uuid(),
    generation: z.int(),
    step: z.string(),
    kind: z.string(),
    attempts: z.int(),
    error: z.strictObject({ type: z.string(), message: z.string() }).nullable(),
    pending: pendingActivitySchema
      .nullable()
      .openapi({ description: 'As Temporal sees it; null while Temporal is away, or when the step has just gone on' }),
    links: z.strictObject({ order: z.string() }),
  })
  .openapi('RetryingStep');

const route = createRoute({
  method: 'get',
  path: '/v1/ops/retrying',
  tags: ['Operations'],
  summary: 'Steps that have failed and are being tried again: trouble before it is a failure; the newest first',
  ...allow(OPERATORS),
  request: { query: z.strictObject({ limit: z.coerce.number().int().min(1).max(100).default(20) }) },
  responses: {
    200: {
      description: 'The steps',
      content: json(z.strictObject({ data: z.array(retryingSchema), temporal: temporalHealth })),
    },
    ...problems('unauthenticated', 'forbidden', 'invalid_fields', ...COMMON),
  },
});

export const listRetrying = (api: Api, { db, links, temporal: client }: Dependencies) =>
  api.openapi(route, async (c) => {
    const steps = await readRetryingSteps(db, c.req.valid('query').limit);
    const { temporal, answer } = await askTemporal(client, async () => await withPendingActivity(client, steps));
    const data = (answer ?? steps.map((step) => ({ ...step, pending: undefined }))).map(({ errorType, errorMessage, pending, ...step }) => ({
      ...step,
      error: errorType === null ? null : { type: errorType, message: errorMessage ?? '' },
      pending: pending ? pendingActivityView(pending) : null,
      links: { order: links.order(step.orderId).self },
    }));
    return c.json({ data, temporal }, 200);
  });
