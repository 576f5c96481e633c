import { z } from '@hono/zod-openapi';
import { SERVICE_STATES, SERVICES, WORKER_STATES } from '../contracts/health.ts';
import { QUEUE_NAMES } from '../contracts/names.ts';
import type { Health } from '../queries/health.ts';
import { iso, time } from './common.ts';
import { temporalHealth } from './run.ts';

const serviceSchema = z
  .strictObject({
    service: z.enum(SERVICES),
    state: z.enum(SERVICE_STATES).openapi({ description: '`not_checked`: no worker has probed it within the last 70 seconds' }),
    answeringSince: time.nullable().openapi({ description: 'Since when it has answered every probe; null while it does not' }),
    lastSuccessAt: time.nullable(),
    lastFailureAt: time.nullable(),
    lastError: z.string().nullable().openapi({ description: 'What the last failed probe found' }),
  })
  .openapi('ServiceHealth');

const workerSchema = z
  .strictObject({
    identity: z.string().openapi({ description: 'As Temporal lists it among the pollers of a queue' }),
    host: z.string(),
    version: z.string(),
    queues: z.array(z.enum(QUEUE_NAMES)),
    polling: z.array(z.enum(QUEUE_NAMES)).nullable().openapi({ description: 'Those that it polls; null while Temporal is away' }),
    startedAt: time,
    lastSeenAt: time,
    state: z.enum(WORKER_STATES).openapi({
      description:
        '`gone`: not seen for 70 seconds. `not_polling`: its process runs, but does not poll all of its queues. `not_checked`: Temporal is away',
    }),
  })
  .openapi('WorkerHealth');

export const healthSchema = z.strictObject({
  services: z.array(serviceSchema),
  workers: z.array(workerSchema).openapi({ description: 'The last seen first. One that stopped is not listed; one that was killed is, for an hour' }),
  temporal: temporalHealth,
});

/** @returns the health as API and command line show it */
export const healthView = ({ services, workers, queues }: Health): z.infer<typeof healthSchema> => ({
  services: services.map(({ answeringSince, lastSuccessAt, lastFailureAt, ...service }) => ({
    ...service,
    answeringSince: iso(answeringSince),
    lastSuccessAt: iso(lastSuccessAt),
    lastFailureAt: iso(lastFailureAt),
  })),
  workers: workers.map(({ startedAt, lastSeenAt, ...worker }) => ({
    ...worker,
    startedAt: startedAt.toISOString(),
    lastSeenAt: lastSeenAt.toISOString(),
  })),
  temporal: queues.temporal,
});
