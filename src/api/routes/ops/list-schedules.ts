import { createRoute, z } from '@hono/zod-openapi';
import { callTemporal } from '../../../temporal/availability.ts';
import { listSchedules as list } from '../../../temporal/schedules.ts';
import { scheduleSchema, scheduleView } from '../../../views/schedule.ts';
import { keyed } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { COMMON, problems } from '../../errors.ts';
import { schedule } from '../../examples/schedules.ts';
import { json } from '../../schemas/common.ts';

const route = createRoute({
  method: 'get',
  path: '/v1/ops/schedules',
  tags: ['Operations'],
  summary: 'The schedules, their next runs, and where they differ from their declaration',
  ...keyed('listSchedules'),
  responses: {
    200: {
      description: 'Every declared schedule',
      content: json(z.strictObject({ data: z.array(scheduleSchema) }), { weeklyReport: { data: [schedule] } }),
    },
    ...problems('unauthenticated', 'forbidden', 'temporal_unavailable', ...COMMON),
  },
});

export const listSchedules = (api: Api, { links, temporal, timeZone }: Dependencies) =>
  api.openapi(route, async (c) => {
    const schedules = await callTemporal(temporal, () => list(temporal, timeZone));
    return c.json({ data: schedules.map((state) => scheduleView(state, links)) }, 200);
  });
