import { z } from '@hono/zod-openapi';
import { notFound } from '../contracts/request-error.ts';
import { FAILURE_EVENT_TYPES, FAILURE_KINDS, FAILURE_STATUSES } from '../contracts/statuses.ts';
import type { Database } from '../db/client.ts';
import { readFailure, type Failure, type FailureCount, type FailureStory } from '../queries/failures.ts';
import { errorSchema, iso, time } from './common.ts';
import type { Links } from './links.ts';

const failureFields = {
  id: z.uuid(),
  kind: z.enum(FAILURE_KINDS),
  status: z.enum(FAILURE_STATUSES),
  workflowId: z.string(),
  runId: z.string().nullable(),
  orderId: z.uuid().nullable(),
  signupId: z.uuid().nullable(),
  generation: z.int().nullable(),
  step: z.string(),
  error: errorSchema,
  attempts: z.int(),
  occurrence: z.int().openapi({ description: 'How often it was opened: 2 after a retry that failed again' }),
  firstSeenAt: time,
  lastSeenAt: time,
  nextRetryAt: time.nullable().openapi({ description: 'When a failing compensation is tried next; null when it waits for a person' }),
  closedAt: time.nullable(),
  bulkActionId: z.uuid().nullable().openapi({ description: 'The bulk action that acted on it last' }),
  links: z.strictObject({
    self: z.string(),
    retry: z.string(),
    cancel: z.string(),
    settlement: z.string(),
    reset: z.string(),
    fix: z.string(),
    requeue: z.string(),
    order: z.string().nullable(),
    workflow: z.string(),
  }),
};

export const failureSchema = z.strictObject(failureFields).openapi('Failure');

export type FailureView = z.infer<typeof failureSchema>;

const failureEventSchema = z
  .strictObject({ type: z.enum(FAILURE_EVENT_TYPES), actor: z.string(), reason: z.string(), at: time })
  .openapi('FailureEvent');

/** A failure and its history. */
export const failureStoryFields = {
  ...failureFields,
  events: z.array(failureEventSchema).openapi({ description: 'Who did what and why, oldest first' }),
};

export const failureCountSchema = z
  .strictObject({ kind: z.enum(FAILURE_KINDS), step: z.string(), errorType: z.string(), count: z.int() })
  .openapi('FailureCount');

export const failureCountsSchema = z.strictObject({ total: z.int(), data: z.array(failureCountSchema) });

/** @returns a failure as API and command line show it */
export function failureView(failure: Failure, links: Links): FailureView {
  const { resumeStatus: _resumeStatus, emailKey: _emailKey, errorType, errorMessage, ...row } = failure;
  return {
    ...row,
    error: { type: errorType, message: errorMessage },
    firstSeenAt: row.firstSeenAt.toISOString(),
    lastSeenAt: row.lastSeenAt.toISOString(),
    nextRetryAt: iso(row.nextRetryAt),
    closedAt: iso(row.closedAt),
    links: links.failure(row.id, row.workflowId, row.orderId),
  };
}

/** @returns a failure with its history */
export const failureStoryView = ({ failure, events }: FailureStory, links: Links) => ({
  ...failureView(failure, links),
  events: events.map(({ type, actor, reason, at }) => ({ type, actor, reason, at: at.toISOString() })),
});

/** @returns counts of failures with their sum */
export const failureCountsView = (data: FailureCount[]): z.infer<typeof failureCountsSchema> => ({
  total: data.reduce((sum, { count }) => sum + count, 0),
  data,
});

/** @returns the failure as it is now. @throws RequestError `not_found` */
export async function loadFailure(db: Database, links: Links, id: string): Promise<FailureView> {
  const found = await readFailure(db, id);
  if (!found) throw notFound('failure');
  return failureView(found.failure, links);
}
