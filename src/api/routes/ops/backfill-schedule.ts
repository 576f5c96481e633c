import { createRoute, z } from '@hono/zod-openapi';
import { actorOf } from '../../../contracts/caller.ts';
import { backfillInput, backfillSchedule as backfill, planBackfill } from '../../../operate/schedules.ts';
import { backfillPlanSchema, backfillPlanView } from '../../../views/schedule.ts';
import { keyed } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { problems, WITH_BODY } from '../../errors.ts';
import { backfill as backfillExample, backfillPlan } from '../../examples/schedules.ts';
import { json, jsonBody } from '../../schemas/common.ts';
import { scheduleParams } from './schedule-actions.ts';

const bodySchema = backfillInput
  .safeExtend({
    dryRun: z.boolean().default(false).openapi({ description: 'Only say for which times runs would be started' }),
  })
  .openapi('ScheduleBackfill');

const route = createRoute({
  method: 'post',
  path: '/v1/ops/schedules/{id}/backfill',
  tags: ['Operations'],
  summary: backfill.label,
  description: backfill.about,
  ...keyed('backfillSchedule'),
  request: { params: scheduleParams, body: jsonBody(bodySchema, { start: backfillExample, dryRun: { ...backfillExample, dryRun: true } }) },
  responses: {
    200: { description: 'What would be started', content: json(backfillPlanSchema, { plan: backfillPlan }) },
    202: { description: 'Accepted', content: json(backfillPlanSchema, { plan: backfillPlan }) },
    ...problems('unauthenticated', 'forbidden', 'not_found', 'temporal_unavailable', ...WITH_BODY),
  },
});

export const backfillSchedule = (api: Api, deps: Dependencies) =>
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const { dryRun, ...given } = c.req.valid('json');
    const planned = await planBackfill(deps, id, { from: new Date(given.from), to: new Date(given.to) });
    const plan = backfillPlanView(id, planned);
    if (dryRun) return c.json(plan, 200);
    await backfill.perform(deps, id, given, actorOf(c.var.caller));
    return c.json(plan, 202);
  });
