import { createRoute, z } from '@hono/zod-openapi';
import { asc, eq } from 'drizzle-orm';
import { ORDER_STEPS, STEP_KINDS, STEP_STATES } from '../../contracts/statuses.ts';
import { sagaSteps } from '../../db/schema.ts';
import { allow, ANYONE } from '../auth.ts';
import type { Api, Dependencies } from '../environment.ts';
import { COMMON, problems } from '../errors.ts';
import { idParams, json, time } from '../schemas/common.ts';
import { requireOrder } from '../views/order.ts';

const stepSchema = z
  .strictObject({
    step: z.enum(ORDER_STEPS),
    kind: z.enum(STEP_KINDS),
    state: z.enum(STEP_STATES),
    attempts: z.int(),
    error: z.strictObject({ type: z.string(), message: z.string() }).nullable(),
    startedAt: time,
    finishedAt: time.nullable(),
    generation: z.int(),
  })
  .openapi('SagaStep');

const route = createRoute({
  method: 'get',
  path: '/v1/orders/{id}/saga',
  tags: ['Orders'],
  summary: 'What was done for an order, what was undone, and what could not be',
  ...allow(ANYONE),
  request: { params: idParams },
  responses: {
    200: {
      description: 'Every step and compensation of all generations, in order',
      content: json(z.strictObject({ data: z.array(stepSchema) })),
    },
    ...problems('unauthenticated', 'not_found', ...COMMON),
  },
});

export const getOrderSaga = (api: Api, { db }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    await requireOrder(db, c.var.caller, id);
    const steps = await db
      .select()
      .from(sagaSteps)
      .where(eq(sagaSteps.orderId, id))
      .orderBy(asc(sagaSteps.generation), asc(sagaSteps.startedAt));
    const data = steps.map(({ step, kind, state, attempts, errorType, errorMessage, startedAt, finishedAt, generation }) => ({
      step,
      kind,
      state,
      attempts,
      error: errorType === null ? null : { type: errorType, message: errorMessage ?? '' },
      startedAt: startedAt.toISOString(),
      finishedAt: finishedAt?.toISOString() ?? null,
      generation,
    }));
    return c.json({ data }, 200);
  });
