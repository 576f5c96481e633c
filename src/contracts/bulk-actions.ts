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

/** The results of an item. Each item gets one, once. */
const BULK_ACTION_RESULTS = ['succeeded', 'failed_again', 'cancelled', 'skipped'] as const;
export type BulkActionResult = (typeof BULK_ACTION_RESULTS)[number];

/** The states of an item: pending → requested → its result. One that is not acted on is skipped at once. */
export const BULK_ACTION_ITEM_STATES = ['pending', 'requested', ...BULK_ACTION_RESULTS] as const;

export type BulkActionItemState = (typeof BULK_ACTION_ITEM_STATES)[number];

/** What an item has come to: its result, or that it waits for one. */
export const BULK_ACTION_OUTCOMES = ['waiting', ...BULK_ACTION_RESULTS] as const;
export type BulkActionOutcome = (typeof BULK_ACTION_OUTCOMES)[number];

/** What only a failure has. Ignored, they would let a restart act on every failed order. */
const FAILURE_ONLY = ['kind', 'step', 'status', 'text'] as const satisfies readonly (keyof FailureFilter)[];

/** The three ways to say what a bulk action acts on. */
const SELECTIONS = ['filter', 'ids', 'failedAgainIn'] as const;

/** A request for a bulk action: a filter, the ids themselves, or what failed again in an earlier one. */
export const bulkActionRequestSchema = z
  .strictObject({
    action: z.enum(BULK_ACTION_TYPES),
    filter: failureFilterSchema.optional().meta({ description: 'A restart takes no `kind`, `step`, `status` or `text`' }),
    ids: z.array(id).min(1).max(10_000).optional(),
    failedAgainIn: id.optional().meta({ description: 'An earlier bulk action: its items that failed again' }),
    reason,
    ratePerSecond: z.int().min(1).max(200).default(20),
    dryRun: z.boolean().default(false),
  })
  .refine((request) => SELECTIONS.filter((selection) => request[selection] !== undefined).length === 1, {
    error: 'give one of filter, ids and failedAgainIn',
    path: ['filter'],
  })
  .refine(({ action, filter }) => action !== 'restart' || !FAILURE_ONLY.some((field) => filter?.[field] !== undefined), {
    error: `a restart acts on orders, which have no ${FAILURE_ONLY.join(', ')}`,
    path: ['filter'],
  });

export type BulkActionRequest = z.infer<typeof bulkActionRequestSchema>;
