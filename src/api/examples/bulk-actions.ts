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

export const runningBulkAction: BulkActionView = {
  id: BULK_ACTION_ID,
  action: 'retry',
  state: 'running',
  filter: { status: 'open', errorType: 'warehouse_unavailable' },
  ids: null,
  reason: 'The warehouse is back.',
  actor: OPERATOR,
  ratePerSecond: 20,
  createdAt: '2026-11-24T09:30:00.000Z',
  finishedAt: null,
  progress: { total: 12, pending: 4, refused: 1, requested: 7, succeeded: 5, failedAgain: 0, underWay: 2 },
  links: links.bulkAction(BULK_ACTION_ID),
};

export const pausedBulkAction: BulkActionView = { ...runningBulkAction, state: 'paused' };

export const cancelledBulkAction: BulkActionView = {
  ...runningBulkAction,
  state: 'cancelled',
  finishedAt: '2026-11-24T09:30:08.000Z',
};

export const bulkActionItems: z.infer<typeof bulkActionItemSchema>[] = [
  {
    position: 1,
    orderId: ORDER_ID,
    signupId: null,
    failureId: FAILURE_ID,
    outcome: 'resolved',
    message: null,
    generation: null,
    actedAt: '2026-11-24T09:30:00.050Z',
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
  'event: progress\ndata: {"state":"running","total":12,"pending":4,"refused":1,"requested":7,"succeeded":5,"failedAgain":0,"underWay":2}\n\n';
