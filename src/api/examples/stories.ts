import type { z } from '@hono/zod-openapi';
import type { failureStorySchema, orderStorySchema, signupStorySchema } from '../../views/story.ts';
import { failureHistory, pendingShipment } from './failures.ts';
import { RUN_ID } from './ids.ts';
import { parkedOrder, sagaSteps } from './orders.ts';
import { pendingSignup } from './signups.ts';

export const failureStory: z.infer<typeof failureStorySchema> = { ...failureHistory, pending: [pendingShipment], temporal: 'ok' };

export const failureStoryWithoutTemporal: z.infer<typeof failureStorySchema> = {
  ...failureHistory,
  pending: null,
  temporal: 'unavailable',
};

export const orderStory: z.infer<typeof orderStorySchema> = {
  order: parkedOrder,
  cancellationReason: null,
  cancellationActor: null,
  statuses: [
    { generation: 1, status: 'accepted', at: '2026-11-24T08:15:00.120Z' },
    { generation: 1, status: 'needs_attention', at: '2026-11-24T08:15:16.000Z' },
  ],
  cancellations: [],
  steps: sagaSteps.map((step) => ({ ...step, actor: null, reason: null })),
  emailAttempts: [
    {
      generation: 1,
      template: 'order_confirmed',
      events: [{ attempt: 1, type: 'done', at: '2026-11-24T08:15:02.200Z', durationMs: 41, error: null, worker: '2481@worker-1' }],
    },
  ],
  calls: [],
  payments: [
    {
      id: '0197d0a0-8111-7cc3-9f27-1e4d6b8a0c59',
      generation: 1,
      status: 'captured',
      providerPaymentId: 'pi_3MtwBwLkdIwHu7ix28a3tqPa',
      amount: parkedOrder.total,
      captured: 3680,
      refunded: 0,
      capturedAt: '2026-11-24T08:15:01.480Z',
      createdAt: '2026-11-24T08:15:00.400Z',
      refunds: [],
      disputes: [],
    },
  ],
  shipments: [],
  invoices: [],
  emails: [
    {
      template: 'order_confirmed',
      status: 'sent',
      subject: 'We have your order',
      recipient: 'ada@example.com',
      sentAt: '2026-11-24T08:15:02.200Z',
    },
  ],
  commands: [
    {
      id: 512,
      type: 'start_order',
      state: 'delivered',
      actor: null,
      lastError: null,
      createdAt: '2026-11-24T08:15:00.120Z',
      deliveredAt: '2026-11-24T08:15:00.180Z',
    },
  ],
  failures: [failureHistory],
  run: {
    runId: RUN_ID,
    status: 'RUNNING',
    startedAt: '2026-11-24T08:15:00.180Z',
    closedAt: null,
    workflowTaskAttempt: 1,
    pending: [],
  },
  temporal: 'ok',
  waitingFor: 'Waiting for a person.',
};

export const signupStory: z.infer<typeof signupStorySchema> = {
  signup: pendingSignup,
  emails: [
    {
      template: 'verification',
      status: 'sent',
      subject: 'Verify your email address',
      recipient: 'ada@example.com',
      sentAt: '2026-11-24T08:20:00.400Z',
    },
  ],
  commands: [
    {
      id: 513,
      type: 'start_signup',
      state: 'delivered',
      actor: null,
      lastError: null,
      createdAt: '2026-11-24T08:20:00.000Z',
      deliveredAt: '2026-11-24T08:20:00.060Z',
    },
  ],
  failures: [],
  run: null,
  temporal: 'unavailable',
  waitingFor: 'Waiting for the address to be verified.',
};
