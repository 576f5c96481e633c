import type { z } from '@hono/zod-openapi';
import type { booksSchema } from '../../views/books.ts';
import type { healthSchema } from '../../views/health.ts';
import type { queuesSchema } from '../../views/queues.ts';
import { ORDER_ID } from './ids.ts';

const idle = { pollers: 2, backlog: 0, backlogAge: 0, addedPerSecond: 1.4, dispatchedPerSecond: 1.4 };

const shop = {
  commandsWaiting: 3,
  oldestCommandAge: 120,
  ordersByStatus: [{ status: 'shipped' as const, count: 214 }],
  openFailures: 12,
  startsPerMinute: 84,
  completionsPerMinute: 80,
  failureRate: 0.01,
};

export const queues: z.infer<typeof queuesSchema> = {
  shop,
  queues: [{ queue: 'orders', taskQueue: 'holdfast-orders', workflows: idle, activities: idle, warning: null }],
  temporal: 'ok',
};

export const queuesWithoutTemporal: z.infer<typeof queuesSchema> = { shop, queues: null, temporal: 'unavailable' };

const answering = {
  state: 'ok' as const,
  answeringSince: '2026-11-20T06:00:00.000Z',
  lastSuccessAt: '2026-11-24T09:00:02.000Z',
  lastFailureAt: null,
  lastError: null,
};

const worker = {
  identity: '1@worker-7d4b9c-x2x5k',
  host: 'worker-7d4b9c-x2x5k',
  version: '0.1.0',
  queues: ['orders' as const, 'email' as const, 'operations' as const],
  startedAt: '2026-11-24T08:00:00.000Z',
  lastSeenAt: '2026-11-24T09:00:04.000Z',
};

export const warehouseDown: z.infer<typeof healthSchema> = {
  services: [
    { service: 'email', ...answering },
    { service: 'payment', ...answering },
    {
      service: 'warehouse',
      state: 'failing',
      answeringSince: null,
      lastSuccessAt: '2026-11-24T08:41:20.000Z',
      lastFailureAt: '2026-11-24T09:00:02.000Z',
      lastError: 'HTTP 503',
    },
  ],
  workers: [{ ...worker, polling: worker.queues, state: 'ok' }],
  temporal: 'ok',
};

export const books: z.infer<typeof booksSchema> = {
  checks: [
    {
      check: 'payments',
      sides: { ours: 'Postgres', theirs: 'The payment provider' },
      runs: [
        {
          scope: 'changed',
          startedAt: '2026-11-24T09:00:00.000Z',
          finishedAt: '2026-11-24T09:00:01.200Z',
          compared: 84,
          error: null,
        },
      ],
      differences: 1,
    },
  ],
  differences: [
    {
      check: 'payments',
      subject: 'pi_3MtwBwLkdIwHu7ix28a3tqPa',
      what: 'money_kept',
      ours: 'the order has ended, so nothing is kept',
      theirs: 'captured 36.80 EUR',
      fix: 'refund_payment',
      orderId: ORDER_ID,
      signupId: null,
      generation: 1,
      firstSeenAt: '2026-11-24T09:00:01.000Z',
      lastSeenAt: '2026-11-24T09:00:01.000Z',
      failureId: null,
    },
  ],
};
