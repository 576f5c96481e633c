import { createRoute, z } from '@hono/zod-openapi';
import { listSchedules as list } from '../../../ops/schedules.ts';
import { callTemporal } from '../../../ops/temporal.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { COMMON, problems } from '../../errors.ts';
import { json, time } from '../../schemas/common.ts';

const scheduleSchema = z
  .strictObject({
    scheduleId: z.string(),
    workflowType: z.string(),
    paused: z.boolean(),
    note: z.string().nullable(),
    nextRuns: z.array(time),
    lastRuns: z.array(z.strictObject({ scheduledAt: time, takenAt: time, workflowId: z.string() })),
    drift: z
      .array(z.string())
      .openapi({ description: 'What differs from the declared definition; `missing` when Temporal does not have it' }),
    links: z.strictObject({
      pause: z.string(),
      resume: z.string(),
      run: z.string(),
      backfill: z.string(),
      temporal: z.string().openapi({ description: 'In the Temporal Web UI' }),
    }),
  })
  .openapi('Schedule');

const route = createRoute({
  method: 'get',
  path: '/v1/ops/schedules',
  tags: ['Operations'],
  summary: 'What runs by itself, when next, and whether it is as declared',
  ...allow(OPERATORS),
  responses: {
    200: { description: 'Every declared schedule', content: json(z.strictObject({ data: z.array(scheduleSchema) })) },
    ...problems('unauthenticated', 'forbidden', 'temporal_unavailable', ...COMMON),
  },
});

export const listSchedules = (api: Api, { links, temporal: client, timeZone }: Dependencies) =>
  api.openapi(route, async (c) => {
    const schedules = await callTemporal(client, async () => await list(client, timeZone));
    const data = schedules.map(({ scheduleId, workflowType, paused, note, nextRuns, lastRuns, drift }) => ({
      scheduleId,
      workflowType,
      paused,
      note: note || null,
      nextRuns: nextRuns.map((run) => run.toISOString()),
      lastRuns: lastRuns.map(({ scheduledAt, takenAt, workflowId }) => ({
        scheduledAt: scheduledAt.toISOString(),
        takenAt: takenAt.toISOString(),
        workflowId,
      })),
      drift,
      links: links.schedule(scheduleId),
    }));
    return c.json({ data }, 200);
  });
