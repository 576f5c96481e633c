import type { z } from '@hono/zod-openapi';
import type { bulkActionRequestSchema } from '../../contracts/bulk-actions.ts';
import type { bulkActionItemSchema, bulkActionPlanSchema, BulkActionView } from '../../views/bulk-action.ts';
import { BULK_ACTION_ID, FAILURE_ID, links, OPERATOR, ORDER_ID } from './ids.ts';

export const retryByFilter: z.input<typeof bulkActionRequestSchema> = {
  action: 'retry',
  filter: { status: 'open', errorType: 'warehouse_unavailable' },
  reason: 'The warehouse is back.',
  ratePerSecond: 20,
};

export const restartByIds: z.input<typeof bulkActionRequestSchema> = {
  action: 'restart',
  ids: [ORDER_ID],
  reason: 'The item is in stock again.',
  dryRun: true,
};

export const retryFailedAgain: z.input<typeof bulkActionRequestSchema> = {
  action: 'retry',
  failedAgainIn: BULK_ACTION_ID,
  reason: 'The warehouse is back for good.',
};

export const runningBulkAction: BulkActionView = {
  id: BULK_ACTION_ID,
  action: 'retry',
  state: 'running',
  filter: { status: 'open', errorType: 'warehouse_unavailable' },
  ids: null,
  failedAgainIn: null,
  reason: 'The warehouse is back.',
  actor: OPERATOR,
  ratePerSecond: 20,
  createdAt: '2026-11-24T09:30:00.000Z',
  finishedAt: null,
  pauseReason: null,
  progress: { total: 12, succeeded: 4, failedAgain: 1, cancelled: 0, skipped: 1, waiting: 6, pending: 4, requested: 7 },
  summary: '4 succeeded, 1 failed again, 1 skipped, 6 waiting',
  next: null,
  links: links.bulkAction(BULK_ACTION_ID),
};

export const pausedBulkAction: BulkActionView = { ...runningBulkAction, state: 'paused' };

export const cancelledBulkAction: BulkActionView = {
  ...runningBulkAction,
  state: 'cancelled',
  finishedAt: '2026-11-24T09:30:08.000Z',
  progress: { total: 12, succeeded: 6, failedAgain: 1, cancelled: 0, skipped: 5, waiting: 0, pending: 0, requested: 7 },
  summary: '6 succeeded, 1 failed again, 5 skipped',
  next: {
    label: 'Retry this one',
    request: { action: 'retry', failedAgainIn: BULK_ACTION_ID },
    page: `/ops/bulk-actions/new?action=retry&failedAgainIn=${BULK_ACTION_ID}`,
  },
};

export const bulkActionItems: z.infer<typeof bulkActionItemSchema>[] = [
  {
    position: 1,
    orderId: ORDER_ID,
    signupId: null,
    failureId: FAILURE_ID,
    outcome: 'succeeded',
    message: null,
    generation: null,
    actedAt: '2026-11-24T09:30:00.050Z',
    settledAt: '2026-11-24T09:30:01.420Z',
  },
];

export const bulkActionPlan: z.infer<typeof bulkActionPlanSchema> = {
  matching: 12,
  accepted: 11,
  refused: [{ reason: 'Someone has already decided what to do about this failure.', count: 1 }],
  sums: [{ currency: 'EUR', amount: 40_480 }],
  sample: [{ orderId: ORDER_ID, signupId: null, failureId: FAILURE_ID, amount: 3680, currency: 'EUR', refusal: null }],
};

export const bulkActionEvents =
  'event: progress\ndata: {"state":"running","total":12,"succeeded":4,"failedAgain":1,"cancelled":0,"skipped":1,"waiting":6,"pending":4,"requested":7}\n\n';
