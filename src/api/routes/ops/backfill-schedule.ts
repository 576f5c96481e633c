import { createRoute, z } from '@hono/zod-openapi';
import { actorOf } from '../../../intake/caller.ts';
import { backfillSchedule as backfill, planBackfill } from '../../../ops/schedule-actions.ts';
import { callTemporal } from '../../../ops/temporal.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { problems, WITH_BODY } from '../../errors.ts';
import { json, jsonBody, reasonBody, time } from '../../schemas/common.ts';
import { scheduleParams } from '../../schemas/schedule.ts';

/** A leap year, in ms. */
const LONGEST = 366 * 86_400_000;

const backfillSchema = reasonBody
  .extend({
    from: time,
    to: time.openapi({ description: 'At most a year after `from`, and not in the future' }),
    dryRun: z.boolean().default(false).openapi({ description: 'Only say for which times runs would be started' }),
  })
  .refine(({ from, to }) => Date.parse(from) < Date.parse(to), { error: 'must be after from', path: ['to'] })
  .refine(({ from, to }) => Date.parse(to) - Date.parse(from) <= LONGEST, {
    error: 'must be within a year of from',
    path: ['to'],
  })
  .refine(({ to }) => Date.parse(to) <= Date.now(), { error: 'must not be in the future', path: ['to'] })
  .openapi('ScheduleBackfill');

const planSchema = z
  .strictObject({ scheduleId: z.string(), runs: z.array(time) })
  .openapi('ScheduleBackfillPlan');

const route = createRoute({
  method: 'post',
  path: '/v1/ops/schedules/{id}/backfill',
  tags: ['Operations'],
  summary: 'Start the runs that a schedule would have started in a span, each as if it were then',
  ...allow(OPERATORS),
  request: { params: scheduleParams, body: jsonBody(backfillSchema) },
  responses: {
    200: { description: 'What would be started', content: json(planSchema) },
    202: { description: 'Being started', content: json(planSchema) },
    ...problems('unauthenticated', 'forbidden', 'not_found', 'temporal_unavailable', ...WITH_BODY),
  },
});

export const backfillSchedule = (api: Api, { db, temporal: client, timeZone }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const { from, to, reason, dryRun } = c.req.valid('json');
    const tools = { db, client, timeZone };
    const span = { from: new Date(from), to: new Date(to) };
    const runs = await callTemporal(client, async () => {
      const planned = await planBackfill(tools, id, span);
      if (!dryRun) await backfill(tools, id, span, { actor: actorOf(c.var.caller), reason });
      return planned.map((run) => run.toISOString());
    });
    return dryRun ? c.json({ scheduleId: id, runs }, 200) : c.json({ scheduleId: id, runs }, 202);
  });
