import type { Client, ScheduleHandle } from '@temporalio/client';
import { z } from 'zod';
import type { Instruction } from '../contracts/caller.ts';
import type { OperatorActionName } from '../contracts/audit.ts';
import { instant, reason } from '../contracts/fields.ts';
import { notFound } from '../contracts/request-error.ts';
import { callTemporal } from '../temporal/availability.ts';
import {
  findDefinition,
  isScheduleMissing,
  listBackfillTimes,
  resume,
  type BackfillTimes,
  type ScheduleDefinition,
  type Span,
} from '../temporal/schedules.ts';
import { defineAction, reasonInput, type ActionContext, type OperatorAction } from './action.ts';

/** What an action on a schedule works with. `timeZone` is that of the declared schedules. */
export interface ScheduleContext extends ActionContext {
  temporal: Client;
  timeZone: string;
}

/** Stops a schedule from starting runs. */
export const pauseSchedule = onSchedule({
  name: 'pause_schedule',
  label: 'Pause',
  about: 'Starts no runs until it is resumed. The reason becomes its note in Temporal.',
  done: 'Paused. It starts no runs until it is resumed.',
  input: reasonInput,
  deed: (schedule, instruction) => schedule.pause(noteOf(instruction)),
});

/** Lets a paused schedule start runs again. */
export const resumeSchedule = onSchedule({
  name: 'resume_schedule',
  label: 'Resume',
  about: 'Starts runs again. Runs missed while paused are not made up: use a backfill for that.',
  done: 'Resumed. Missed runs are not made up: use a backfill for that.',
  input: reasonInput,
  deed: (schedule, instruction) => resume(schedule, noteOf(instruction)),
});

/** Starts a run of a schedule. */
export const runSchedule = onSchedule({
  name: 'run_schedule',
  label: 'Run now',
  about: 'Starts a run now, also while the schedule is paused.',
  done: 'Run started.',
  input: reasonInput,
  deed: (schedule, _instruction, { overlap }) => schedule.trigger(overlap),
});

/** A leap year, in ms. */
const LONGEST_BACKFILL = 366 * 86_400_000;

/** What a backfill needs: a span of at most a year that has passed, and a reason. */
export const backfillInput = z
  .strictObject({
    reason,
    from: instant,
    to: instant.meta({ description: 'At most a year after `from`, and not in the future' }),
  })
  .refine(({ from, to }) => Date.parse(from) < Date.parse(to), { error: 'must be after from', path: ['to'] })
  .refine(({ from, to }) => Date.parse(to) - Date.parse(from) <= LONGEST_BACKFILL, {
    error: 'must be within a year of from',
    path: ['to'],
  })
  .refine(({ to }) => Date.parse(to) <= Date.now(), { error: 'must not be in the future', path: ['to'] });

/** Starts the runs that a schedule would have started in a span. */
export const backfillSchedule = onSchedule({
  name: 'backfill_schedule',
  label: 'Backfill',
  about: 'Starts the runs that the schedule would have started in a span of time, each as if it were then.',
  done: 'Backfill started.',
  input: backfillInput,
  deed: (schedule, { from, to }, { overlap }) =>
    schedule.backfill({ start: new Date(from), end: new Date(to), overlap }),
});

/** @returns the times for which a backfill would start runs. @throws RequestError `not_found` */
export async function planBackfill(
  { temporal, timeZone }: Omit<ScheduleContext, 'db'>,
  scheduleId: string,
  span: Span,
): Promise<BackfillTimes> {
  requireDefinition(scheduleId, timeZone);
  return await callSchedule(temporal, () => listBackfillTimes(temporal, scheduleId, span));
}

function onSchedule<Input extends { reason: string }>({
  deed,
  ...definition
}: {
  name: OperatorActionName;
  label: string;
  about: string;
  done: string;
  input: z.ZodObject & z.ZodType<Input>;
  deed: (schedule: ScheduleHandle, given: Input & Instruction, definition: ScheduleDefinition) => Promise<void>;
}): OperatorAction<ScheduleContext> {
  return defineAction({
    ...definition,
    refusals: [],
    async act(_tx, scheduleId, given: Input & Instruction, { temporal, timeZone }: ScheduleContext) {
      const declared = requireDefinition(scheduleId, timeZone);
      await callSchedule(temporal, () => deed(temporal.schedule.getHandle(scheduleId), given, declared));
    },
  });
}

/** Only what Holdfast declares: the namespace may hold schedules of others. */
function requireDefinition(scheduleId: string, timeZone: string): ScheduleDefinition {
  const definition = findDefinition(scheduleId, timeZone);
  if (!definition) throw notFound('schedule');
  return definition;
}

async function callSchedule<Answer>(temporal: Client, question: () => Promise<Answer>): Promise<Answer> {
  try {
    return await callTemporal(temporal, question);
  } catch (error) {
    if (isScheduleMissing(error)) throw notFound('schedule');
    throw error;
  }
}

/** Also shown in the Temporal Web UI. */
const noteOf = ({ actor, reason: why }: Instruction): string => `${why} (${actor})`;
