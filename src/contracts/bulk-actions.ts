import { z } from 'zod';
import { failureFilterSchema, type FailureFilter } from './failure-filter.ts';
import { id, reason } from './fields.ts';
import type { FailureKind } from './statuses.ts';

/**
 * What can be done to many at once. The items of `retry` and `cancel` are failures (see `BULK_FAILURE_KINDS`). `restart` acts
 * on orders that ended as failed (the items are orders, and the filter's error type, times and customer are those of the order).
 */
export const BULK_ACTION_TYPES = ['retry', 'cancel', 'restart'] as const;
export type BulkActionType = (typeof BULK_ACTION_TYPES)[number];

/** The kinds of failures that many can be acted on at once. A `step` is that of a parked order. */
export const BULK_FAILURE_KINDS: Record<Exclude<BulkActionType, 'restart'>, readonly FailureKind[]> = {
  retry: ['step', 'email'],
  cancel: ['step'],
};

export const BULK_ACTION_STATES = ['running', 'paused', 'cancelled', 'completed'] as const;
export type BulkActionState = (typeof BULK_ACTION_STATES)[number];

export const BULK_ACTION_ITEM_STATES = ['pending', 'requested', 'refused'] as const;

/** The outcome of one item. */
export const BULK_ACTION_OUTCOMES = [
  'pending',
  'refused',
  'under_way',
  'failed_again',
  'resolved',
  'cancelled',
  'settled',
] as const;
export type BulkActionOutcome = (typeof BULK_ACTION_OUTCOMES)[number];

/** What only a failure has. Ignored, they would let a restart act on every failed order. */
const FAILURE_ONLY = ['kind', 'step', 'status', 'text'] as const satisfies readonly (keyof FailureFilter)[];

/** A request for a bulk action: either a filter, or the ids themselves. */
export const bulkActionRequestSchema = z
  .strictObject({
    action: z.enum(BULK_ACTION_TYPES),
    filter: failureFilterSchema.optional().meta({ description: 'A restart takes no `kind`, `step`, `status` or `text`' }),
    ids: z.array(id).min(1).max(10_000).optional(),
    reason,
    ratePerSecond: z.int().min(1).max(200).default(20),
    dryRun: z.boolean().default(false),
  })
  .refine(({ filter, ids }) => (filter === undefined) !== (ids === undefined), {
    error: 'give either a filter or ids',
    path: ['filter'],
  })
  .refine(({ action, filter }) => action !== 'restart' || !FAILURE_ONLY.some((field) => filter?.[field] !== undefined), {
    error: `a restart acts on orders, which have no ${FAILURE_ONLY.join(', ')}`,
    path: ['filter'],
  });

export type BulkActionRequest = z.infer<typeof bulkActionRequestSchema>;
