import { z } from '@hono/zod-openapi';
import { FAILURE_EVENT_TYPES, FAILURE_KINDS, FAILURE_STATUSES } from '../../contracts/statuses.ts';
import type { Database } from '../../db/client.ts';
import { notFound } from '../../intake/errors.ts';
import { readFailure, type Failure } from '../../ops/failures.ts';
import type { Links } from '../links.ts';
import { time } from '../schemas/common.ts';

export const failureSchema = z
  .strictObject({
    id: z.uuid(),
    kind: z.enum(FAILURE_KINDS),
    status: z.enum(FAILURE_STATUSES),
    workflowId: z.string(),
    runId: z.string().nullable(),
    orderId: z.uuid().nullable(),
    signupId: z.uuid().nullable(),
    generation: z.int().nullable(),
    step: z.string(),
    error: z.strictObject({ type: z.string(), message: z.string() }),
    attempts: z.int(),
    occurrence: z.int().openapi({ description: 'How often it was opened: 2 after a retry that failed again' }),
    firstSeenAt: time,
    lastSeenAt: time,
    nextRetryAt: time.nullable(),
    closedAt: time.nullable(),
    replayId: z.uuid().nullable().openapi({ description: 'The bulk replay that acted on it last' }),
    links: z.strictObject({
      self: z.string(),
      retry: z.string(),
      cancel: z.string(),
      settlement: z.string(),
      reset: z.string(),
      order: z.string().nullable(),
      workflow: z.string(),
    }),
  })
  .openapi('Failure');

export type FailureView = z.infer<typeof failureSchema>;

export const failureEventSchema = z
  .strictObject({
    type: z.enum(FAILURE_EVENT_TYPES),
    actor: z.string(),
    reason: z.string(),
    at: time,
  })
  .openapi('FailureEvent');

/** @returns a failure as the API shows it. */
export function failureView(failure: Failure, links: Links): FailureView {
  const { resumeStatus: _, errorType, errorMessage, ...row } = failure;
  return {
    ...row,
    error: { type: errorType, message: errorMessage },
    firstSeenAt: row.firstSeenAt.toISOString(),
    lastSeenAt: row.lastSeenAt.toISOString(),
    nextRetryAt: row.nextRetryAt?.toISOString() ?? null,
    closedAt: row.closedAt?.toISOString() ?? null,
    links: links.failure(row.id, row.workflowId, row.orderId),
  };
}

/** @throws IntakeError `not_found` */
export async function loadFailure(db: Database, links: Links, id: string): Promise<FailureView> {
  const found = await readFailure(db, id);
  if (!found) throw notFound('failure');
  return failureView(found.failure, links);
}
