import type { z } from '@hono/zod-openapi';
import type { FailureView, failureCountsSchema } from '../../views/failure.ts';
import type { retryingSchema } from '../../views/retrying.ts';
import { FAILURE_ID, links, OPERATOR, ORDER_ID, RUN_ID } from './ids.ts';

/** An order that is parked on its shipment. */
export const openFailure: FailureView = {
  id: FAILURE_ID,
  kind: 'step',
  status: 'open',
  workflowId: `order/${ORDER_ID}`,
  runId: RUN_ID,
  orderId: ORDER_ID,
  signupId: null,
  generation: 1,
  step: 'ship',
  error: { type: 'warehouse_unavailable', message: 'The warehouse answered 503.' },
  attempts: 4,
  occurrence: 1,
  firstSeenAt: '2026-11-24T08:15:16.000Z',
  lastSeenAt: '2026-11-24T08:15:16.000Z',
  nextRetryAt: null,
  closedAt: null,
  bulkActionId: null,
  links: links.failure(FAILURE_ID, `order/${ORDER_ID}`, ORDER_ID),
};

export const retriedFailure: FailureView = { ...openFailure, status: 'retrying' };

export const failureHistory = {
  ...retriedFailure,
  events: [
    { type: 'opened' as const, actor: 'holdfast', reason: 'The warehouse answered 503.', at: '2026-11-24T08:15:16.000Z' },
    { type: 'retry_requested' as const, actor: OPERATOR, reason: 'The warehouse is back.', at: '2026-11-24T09:02:10.000Z' },
  ],
};

export const failureCounts: z.infer<typeof failureCountsSchema> = {
  total: 14,
  data: [
    { kind: 'step', step: 'ship', errorType: 'warehouse_unavailable', count: 12 },
    { kind: 'email', step: 'order_confirmed', errorType: 'email_unavailable', count: 2 },
  ],
};

export const pendingShipment = {
  activity: 'requestShipment',
  attempt: 2,
  maximumAttempts: 4,
  lastFailure: { type: 'warehouse_unavailable', message: 'The warehouse answered 503.' },
  nextAttemptAt: '2026-11-24T08:15:08.000Z',
};

export const retrying: z.infer<typeof retryingSchema> = {
  data: [
    {
      orderId: ORDER_ID,
      generation: 1,
      step: 'ship',
      kind: 'step',
      attempts: 2,
      error: { type: 'warehouse_unavailable', message: 'The warehouse answered 503.' },
      pending: pendingShipment,
      links: { order: links.order(ORDER_ID).self },
    },
  ],
  temporal: 'ok',
};
