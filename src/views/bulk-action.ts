import { z } from '@hono/zod-openapi';
import {
  BULK_ACTION_OUTCOMES,
  BULK_ACTION_STATES,
  BULK_ACTION_TYPES,
} from '../contracts/bulk-actions.ts';
import { failureFilterSchema } from '../contracts/failure-filter.ts';
import { notFound } from '../contracts/request-error.ts';
import type { Database } from '../db/client.ts';
import { describeProgress, nextStepAfter } from '../queries/bulk-action-summary.ts';
import { readBulkAction, type BulkActionItem, type BulkActionWithProgress } from '../queries/bulk-actions.ts';
import { iso, time } from './common.ts';
import type { Links } from './links.ts';

const progressFields = {
  total: z.int(),
  succeeded: z.int().openapi({ description: 'Continuing or ended without trouble' }),
  failedAgain: z.int(),
  cancelled: z.int().openapi({ description: 'Their orders were cancelled or undone, whether this was asked for or not' }),
  skipped: z.int().openapi({ description: 'Not acted on' }),
  waiting: z.int().openapi({ description: 'Without a result. The total is the sum of these five' }),
  pending: z.int().openapi({ description: 'Of those waiting: not acted on yet' }),
  requested: z.int().openapi({ description: 'Acted on, whatever came of it' }),
};

const nextStepSchema = z
  .strictObject({
    label: z.string(),
    request: z
      .strictObject({ action: z.enum(BULK_ACTION_TYPES), failedAgainIn: z.uuid() })
      .openapi({ description: 'With a `reason`, the request for it; with `dryRun`, its dry run' }),
    page: z.string().openapi({ description: "Its dry run on the operator's page" }),
  })
  .openapi('BulkActionNextStep');

export const bulkActionSchema = z
  .strictObject({
    id: z.uuid(),
    action: z.enum(BULK_ACTION_TYPES),
    state: z
      .enum(BULK_ACTION_STATES)
      .openapi({ description: '`completed`: everything was requested; some of it may still be under way' }),
    filter: failureFilterSchema.nullable().openapi({ description: 'null unless one was given' }),
    ids: z.int().nullable().openapi({ description: 'How many ids were given; null unless some were' }),
    failedAgainIn: z.uuid().nullable().openapi({ description: 'The earlier bulk action whose items failed again' }),
    reason: z.string(),
    actor: z.string(),
    ratePerSecond: z.int(),
    createdAt: time,
    finishedAt: time.nullable(),
    pauseReason: z.string().nullable().openapi({ description: 'Why it has paused itself: its first items all failed again' }),
    progress: z.strictObject(progressFields).openapi('BulkActionProgress'),
    summary: z.string().openapi({ description: 'The progress in words' }),
    next: nextStepSchema.nullable().openapi({ description: 'What to do next, once it has ended' }),
    links: z.strictObject({
      self: z.string(),
      items: z.string(),
      events: z.string(),
      pause: z.string(),
      resume: z.string(),
      cancel: z.string(),
      workflow: z.string(),
    }),
  })
  .openapi('BulkAction');

export type BulkActionView = z.infer<typeof bulkActionSchema>;

/** The progress of a bulk action at one moment. */
export const bulkActionEventSchema = z.strictObject({ state: z.enum(BULK_ACTION_STATES), ...progressFields });

export const bulkActionItemSchema = z
  .strictObject({
    position: z.int(),
    orderId: z.uuid().nullable().openapi({ description: 'null for an email about a signup' }),
    signupId: z.uuid().nullable(),
    failureId: z.uuid().nullable(),
    outcome: z.enum(BULK_ACTION_OUTCOMES),
    message: z.string().nullable().openapi({ description: 'Why it was skipped, or how it failed again' }),
    generation: z.int().nullable().openapi({ description: 'The generation of a restarted order' }),
    actedAt: time.nullable(),
    settledAt: time.nullable().openapi({ description: 'When its outcome was written. It never changes afterwards' }),
  })
  .openapi('BulkActionItem');

export const bulkActionPlanSchema = z
  .strictObject({
    matching: z.int(),
    accepted: z.int(),
    refused: z.array(z.strictObject({ reason: z.string(), count: z.int() })),
    sums: z
      .array(z.strictObject({ currency: z.string(), amount: z.int() }))
      .openapi({ description: 'Of the parked or failed orders that would not be refused, in minor units' }),
    sample: z.array(
      z.strictObject({
        orderId: z.uuid().nullable(),
        signupId: z.uuid().nullable(),
        failureId: z.uuid().nullable(),
        amount: z.int().nullable().openapi({ description: 'Of a parked or failed order; null for an email' }),
        currency: z.string().nullable(),
        refusal: z.string().nullable(),
      }),
    ),
  })
  .openapi('BulkActionPlan');

/** @returns a bulk action as API and command line show it */
export function bulkActionView(found: BulkActionWithProgress, links: Links): BulkActionView {
  const { bulkAction, progress } = found;
  const { request, createdAt, finishedAt, probeFrom: _probeFrom, ...row } = bulkAction;
  const { filter = null, ids, failedAgainIn = null } = request;
  return {
    ...row,
    filter,
    ids: ids?.length ?? null,
    failedAgainIn,
    createdAt: createdAt.toISOString(),
    finishedAt: iso(finishedAt),
    progress,
    summary: describeProgress(progress),
    next: nextStepAfter(found),
    links: links.bulkAction(row.id),
  };
}

/** @returns an item of a bulk action as API and command line show it */
export const bulkActionItemView = (item: BulkActionItem): z.infer<typeof bulkActionItemSchema> => ({
  ...item,
  actedAt: iso(item.actedAt),
  settledAt: iso(item.settledAt),
});

/** @returns the bulk action as it is now. @throws RequestError `not_found` */
export async function loadBulkAction(db: Database, links: Links, id: string): Promise<BulkActionView> {
  const found = await readBulkAction(db, id);
  if (!found) throw notFound('bulk action');
  return bulkActionView(found, links);
}
