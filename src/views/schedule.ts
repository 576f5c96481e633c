import { z } from '@hono/zod-openapi';
import type { BackfillTimes, ScheduleState } from '../temporal/schedules.ts';
import { time } from './common.ts';
import type { Links } from './links.ts';

export const scheduleSchema = z
  .strictObject({
    scheduleId: z.string(),
    workflowType: z.string(),
    paused: z.boolean(),
    note: z.string().nullable(),
    nextRuns: z.array(time),
    lastRuns: z.array(z.strictObject({ scheduledAt: time, takenAt: time, workflowId: z.string() })),
    drift: z
      .array(z.string())
      .openapi({ description: 'What differs from the declaration; `missing` when Temporal does not have the schedule' }),
    links: z.strictObject({
      pause: z.string(),
      resume: z.string(),
      run: z.string(),
      backfill: z.string(),
      temporal: z.string().openapi({ description: 'In the Temporal Web UI' }),
    }),
  })
  .openapi('Schedule');

/** What an action on a schedule answers with. */
export const scheduleActionSchema = z.strictObject({ scheduleId: z.string() }).openapi('ScheduleAction');

export const backfillPlanSchema = z
  .strictObject({
    scheduleId: z.string(),
    runs: z.array(time),
    more: z.boolean().openapi({ description: 'Whether more runs follow. Only the first thousand are listed' }),
  })
  .openapi('ScheduleBackfillPlan');

/** @returns a schedule as API and command line show it */
export const scheduleView = ({ note, nextRuns, lastRuns, ...schedule }: ScheduleState, links: Links): z.infer<typeof scheduleSchema> => ({
  ...schedule,
  note: note || null,
  nextRuns: nextRuns.map((run) => run.toISOString()),
  lastRuns: lastRuns.map(({ scheduledAt, takenAt, workflowId }) => ({
    scheduledAt: scheduledAt.toISOString(),
    takenAt: takenAt.toISOString(),
    workflowId,
  })),
  links: links.schedule(schedule.scheduleId),
});

/** @returns the runs that a backfill starts, as API and command line show them */
export const backfillPlanView = (scheduleId: string, { times, more }: BackfillTimes): z.infer<typeof backfillPlanSchema> => ({
  scheduleId,
  runs: times.map((run) => run.toISOString()),
  more,
});
