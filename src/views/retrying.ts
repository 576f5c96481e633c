import { z } from '@hono/zod-openapi';
import { ORDER_STEPS, STEP_KINDS } from '../contracts/statuses.ts';
import type { Retrying } from '../queries/retrying.ts';
import { errorSchema, errorView, orNull } from './common.ts';
import type { Links } from './links.ts';
import { pendingActivitySchema, pendingActivityView, temporalHealth } from './run.ts';

const retryingStepSchema = z
  .strictObject({
    orderId: z.uuid(),
    generation: z.int(),
    step: z.enum(ORDER_STEPS),
    kind: z.enum(STEP_KINDS),
    attempts: z.int(),
    error: errorSchema.nullable(),
    pending: orNull(pendingActivitySchema).openapi({
      description: 'As Temporal sees it; null while Temporal is away, or when the step has just continued',
    }),
    links: z.strictObject({ order: z.string() }),
  })
  .openapi('RetryingStep');

export const retryingSchema = z.strictObject({ data: z.array(retryingStepSchema), temporal: temporalHealth });

/** @returns the steps that are being retried as API and command line show them */
export const retryingView = ({ steps, temporal }: Retrying, links: Links): z.infer<typeof retryingSchema> => ({
  data: steps.map(({ errorType, errorMessage, pending, ...step }) => ({
    ...step,
    error: errorView(errorType, errorMessage),
    pending: pending ? pendingActivityView(pending) : null,
    links: { order: links.order(step.orderId).self },
  })),
  temporal,
});
