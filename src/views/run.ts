import { z } from '@hono/zod-openapi';
import type { PendingActivity, RunState } from '../temporal/runs.ts';
import { errorSchema, iso, time } from './common.ts';

export const pendingActivitySchema = z
  .strictObject({
    activity: z.string(),
    attempt: z.int(),
    maximumAttempts: z.int().nullable().openapi({ description: 'null: without limit' }),
    lastFailure: errorSchema.nullable(),
    nextAttemptAt: time.nullable().openapi({ description: 'Set while it waits for its next attempt' }),
  })
  .openapi('PendingActivity');

export const runSchema = z
  .strictObject({
    runId: z.string(),
    status: z.string().openapi({ example: 'RUNNING' }),
    startedAt: time,
    closedAt: time.nullable(),
    workflowTaskAttempt: z.int().openapi({ description: 'More than one: the workflow code is failing' }),
    pending: z.array(pendingActivitySchema),
  })
  .openapi('Run');

/** Whether the answer holds what Temporal knows. */
export const temporalHealth = z
  .enum(['ok', 'unavailable'])
  .openapi({ description: '`unavailable`: Temporal did not answer, and what it knows is missing here' });

/** @returns a pending activity as API and command line show it */
export const pendingActivityView = (pending: PendingActivity): z.infer<typeof pendingActivitySchema> => ({
  activity: pending.activity,
  attempt: pending.attempt,
  maximumAttempts: pending.maximumAttempts ?? null,
  lastFailure: pending.lastFailure ?? null,
  nextAttemptAt: iso(pending.nextAttemptAt),
});

/** @returns a run as API and command line show it */
export const runView = (run: RunState): z.infer<typeof runSchema> => ({
  runId: run.runId,
  status: run.status,
  startedAt: run.startedAt.toISOString(),
  closedAt: iso(run.closedAt),
  workflowTaskAttempt: run.workflowTaskAttempt,
  pending: run.pendingActivities.map(pendingActivityView),
});
