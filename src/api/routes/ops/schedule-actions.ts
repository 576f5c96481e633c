import { z } from '@hono/zod-openapi';
import { pauseSchedule, resumeSchedule, runSchedule } from '../../../operate/schedules.ts';
import { scheduleActionSchema } from '../../../views/schedule.ts';
import { actionOperation, type ActionAnswer } from '../../action-operation.ts';

export const scheduleParams = z.object({
  id: z.string().max(200).openapi({ param: { name: 'id', in: 'path' }, example: 'weekly-report' }),
});

const schedule: ActionAnswer = {
  schema: scheduleActionSchema,
  load: (_deps, _caller, scheduleId) => Promise.resolve({ scheduleId }),
  params: scheduleParams,
  problems: ['temporal_unavailable'],
};

/** What an operator can do about one schedule, besides a backfill. */
export const SCHEDULE_ACTIONS = [
  actionOperation('/v1/ops/schedules/{id}/pause', pauseSchedule, schedule),
  actionOperation('/v1/ops/schedules/{id}/resume', resumeSchedule, schedule),
  actionOperation('/v1/ops/schedules/{id}/run', runSchedule, schedule),
];
