import { createRoute, z } from '@hono/zod-openapi';
import { callTemporal } from '../../../temporal/availability.ts';
import { listSchedules as list } from '../../../temporal/schedules.ts';
import { scheduleSchema, scheduleView } from '../../../views/schedule.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { COMMON, problems } from '../../errors.ts';
import { json } from '../../schemas/common.ts';

const route = createRoute({
  method: 'get',
  path: '/v1/ops/schedules',
  tags: ['Operations'],
  summary: 'The schedules, their next runs, and where they differ from their declaration',
  ...allow(OPERATORS),
  responses: {
    200: { description: 'Every declared schedule', content: json(z.strictObject({ data: z.array(scheduleSchema) })) },
    ...problems('unauthenticated', 'forbidden', 'temporal_unavailable', ...COMMON),
  },
});

export const listSchedules = (api: Api, { links, temporal, timeZone }: Dependencies) =>
  api.openapi(route, async (c) => {
    const schedules = await callTemporal(temporal, () => list(temporal, timeZone));
    return c.json({ data: schedules.map((schedule) => scheduleView(schedule, links)) }, 200);
  });
