import { z } from '@hono/zod-openapi';
import type { PendingActivity } from '../../ops/runs.ts';
import { time } from '../schemas/common.ts';

export const pendingActivitySchema = z
  .strictObject({
    activity: z.string(),
    attempt: z.int(),
    maximumAttempts: z.int().nullable().openapi({ description: 'null: without limit' }),
    lastFailure: z.strictObject({ type: z.string(), message: z.string() }).nullable(),
    nextAttemptAt: time.nullable().openapi({ description: 'Set while it waits for its next attempt' }),
  })
  .openapi('PendingActivity');

/** Whether what depends on Temporal is in the answer. */
export const temporalHealth = z
  .enum(['ok', 'unavailable'])
  .openapi({ description: '`unavailable`: Temporal did not answer, and what it knows is not in here' });

/** @returns a pending activity as the API shows it. */
export const pendingActivityView = (pending: PendingActivity): z.infer<typeof pendingActivitySchema> => ({
  activity: pending.activity,
  attempt: pending.attempt,
  maximumAttempts: pending.maximumAttempts ?? null,
  lastFailure: pending.lastFailure ?? null,
  nextAttemptAt: pending.nextAttemptAt?.toISOString() ?? null,
});
