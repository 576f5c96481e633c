import { z } from '@hono/zod-openapi';
import { pauseSchedule, resumeSchedule, runSchedule } from '../../../operate/schedules.ts';
import { scheduleActionSchema } from '../../../views/schedule.ts';
import { actionOperation, type ActionAnswer } from '../../action-operation.ts';
import { SCHEDULE_ID } from '../../examples/ids.ts';

export const scheduleParams = z.object({
  id: z.string().max(200).openapi({ param: { name: 'id', in: 'path' }, example: SCHEDULE_ID }),
});

const schedule: ActionAnswer = {
  schema: scheduleActionSchema,
  examples: { done: { scheduleId: SCHEDULE_ID } },
  load: (_deps, _caller, scheduleId) => Promise.resolve({ scheduleId }),
  params: scheduleParams,
  problems: ['temporal_unavailable'],
};

/** What an operator can do about one schedule, besides a backfill. */
export const SCHEDULE_ACTIONS = [
  actionOperation('pauseSchedule', '/v1/ops/schedules/{id}/pause', pauseSchedule, schedule),
  actionOperation('resumeSchedule', '/v1/ops/schedules/{id}/resume', resumeSchedule, schedule),
  actionOperation('runSchedule', '/v1/ops/schedules/{id}/run', runSchedule, schedule),
];
