import type { z } from '@hono/zod-openapi';
import type { backfillPlanSchema, scheduleSchema } from '../../views/schedule.ts';
import { links, SCHEDULE_ID } from './ids.ts';

export const schedule: z.infer<typeof scheduleSchema> = {
  scheduleId: SCHEDULE_ID,
  workflowType: 'weeklyReport',
  paused: false,
  note: null,
  nextRuns: ['2026-11-30T07:00:00.000Z', '2026-12-07T07:00:00.000Z'],
  lastRuns: [
    {
      scheduledAt: '2026-11-23T07:00:00.000Z',
      takenAt: '2026-11-23T07:00:00.120Z',
      workflowId: `${SCHEDULE_ID}-2026-11-23T07:00:00Z`,
    },
  ],
  drift: [],
  links: links.schedule(SCHEDULE_ID),
};

export const backfill = { from: '2026-01-01T00:00:00Z', to: '2026-01-20T00:00:00Z', reason: 'The reports are missing.' };

export const backfillPlan: z.infer<typeof backfillPlanSchema> = {
  scheduleId: SCHEDULE_ID,
  runs: ['2026-01-05T07:00:00.000Z', '2026-01-12T07:00:00.000Z', '2026-01-19T07:00:00.000Z'],
  more: false,
};
