import type { z } from '@hono/zod-openapi';
import type { booksSchema } from '../../views/books.ts';
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
