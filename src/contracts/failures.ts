import { z } from 'zod';
import { FAILURE_KINDS, FAILURE_STATUSES } from './statuses.ts';

/** Which failures are meant. The same filter for the list, the page, the command line and bulk replay. */
export const failureFilterSchema = z.strictObject({
  kind: z.enum(FAILURE_KINDS).optional(),
  step: z.string().max(100).optional(),
  errorType: z.string().max(100).optional(),
  status: z.enum(FAILURE_STATUSES).optional(),
  orderId: z.uuid().optional(),
  /** The exact address, in any case. */
  customerEmail: z.email().optional(),
  /** First seen at or after, ISO 8601. */
  from: z.iso.datetime().optional(),
  /** First seen before, ISO 8601. */
  to: z.iso.datetime().optional(),
  /** Part of the error message, the workflow id or the error type. */
  text: z.string().max(200).optional(),
});

export type FailureFilter = z.infer<typeof failureFilterSchema>;

/**
 * What can be done to many at once: `retry` and `cancel` parked orders (items are failures); `replay` orders that ended
 * as failed (items are orders: the filter's `errorType`, times and customer are those of the order).
 */
export const REPLAY_ACTIONS = ['retry', 'cancel', 'replay'] as const;
export type ReplayAction = (typeof REPLAY_ACTIONS)[number];

export const REPLAY_STATES = ['running', 'paused', 'cancelled', 'completed'] as const;
export type ReplayState = (typeof REPLAY_STATES)[number];

export const REPLAY_ITEM_STATES = ['pending', 'requested', 'refused'] as const;

/** A bulk action: either a filter, or the ids themselves. */
export const replayRequestSchema = z
  .strictObject({
    action: z.enum(REPLAY_ACTIONS),
    filter: failureFilterSchema.optional(),
    ids: z.array(z.uuid()).min(1).max(10_000).optional(),
    reason: z.string().trim().min(1).max(500),
    ratePerSecond: z.int().min(1).max(200).default(20),
    dryRun: z.boolean().default(false),
  })
  .refine(({ filter, ids }) => (filter === undefined) !== (ids === undefined), {
    error: 'give either a filter or ids',
    path: ['filter'],
  });

export type ReplayRequest = z.infer<typeof replayRequestSchema>;
