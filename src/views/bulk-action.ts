import { z } from '@hono/zod-openapi';
import {
  BULK_ACTION_OUTCOMES,
  BULK_ACTION_STATES,
  BULK_ACTION_TYPES,
} from '../contracts/bulk-actions.ts';
import { failureFilterSchema } from '../contracts/failure-filter.ts';
import { notFound } from '../contracts/request-error.ts';
import type { Database } from '../db/client.ts';
import { readBulkAction, type BulkActionItem, type BulkActionWithProgress } from '../queries/bulk-actions.ts';
import { iso, time } from './common.ts';
import type { Links } from './links.ts';

const progressFields = {
  total: z.int(),
  pending: z.int(),
  refused: z.int(),
  requested: z.int(),
  succeeded: z.int().openapi({ description: 'Of those requested: continuing or ended without trouble' }),
  failedAgain: z.int(),
  underWay: z.int(),
};

export const bulkActionSchema = z
  .strictObject({
    id: z.uuid(),
    action: z.enum(BULK_ACTION_TYPES),
    state: z
      .enum(BULK_ACTION_STATES)
      .openapi({ description: '`completed`: everything was requested; some of it may still be under way' }),
    filter: failureFilterSchema.nullable().openapi({ description: 'null when ids were given' }),
    ids: z.int().nullable().openapi({ description: 'How many ids were given; null when a filter was' }),
    reason: z.string(),
    actor: z.string(),
    ratePerSecond: z.int(),
    createdAt: time,
    finishedAt: time.nullable(),
    progress: z.strictObject(progressFields).openapi('BulkActionProgress'),
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
    message: z.string().nullable().openapi({ description: 'Why it was refused' }),
    generation: z.int().nullable().openapi({ description: 'The generation of a restarted order' }),
    actedAt: time.nullable(),
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
export function bulkActionView({ bulkAction, progress }: BulkActionWithProgress, links: Links): BulkActionView {
  const { request, createdAt, finishedAt, ...row } = bulkAction;
  const { filter = null, ids } = request;
  return {
    ...row,
    filter,
    ids: ids?.length ?? null,
    createdAt: createdAt.toISOString(),
    finishedAt: iso(finishedAt),
    progress,
    links: links.bulkAction(row.id),
  };
}

/** @returns an item of a bulk action as API and command line show it */
export const bulkActionItemView = (item: BulkActionItem): z.infer<typeof bulkActionItemSchema> => ({
  ...item,
  actedAt: iso(item.actedAt),
});

/** @returns the bulk action as it is now. @throws RequestError `not_found` */
export async function loadBulkAction(db: Database, links: Links, id: string): Promise<BulkActionView> {
  const found = await readBulkAction(db, id);
  if (!found) throw notFound('bulk action');
  return bulkActionView(found, links);
}
