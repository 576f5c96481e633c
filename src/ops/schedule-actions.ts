import { status } from '@grpc/grpc-js';
import { isGrpcServiceError, ScheduleNotFoundError, type Client, type ScheduleHandle } from '@temporalio/client';
import Long from 'long';
import type { Database } from '../db/client.ts';
import { recordOperatorAction } from '../intake/audit.ts';
import { notFound } from '../intake/errors.ts';
import type { Instruction } from '../intake/failure-actions.ts';
import { scheduleDefinitions, type ScheduleDefinition } from './schedules.ts';

/** What an action on a schedule needs. `timeZone` is that of the declared schedules. */
export interface ScheduleTools {
  db: Database;
  client: Client;
  timeZone: string;
}

/** From when to when runs are to be made up: both included. */
export interface Span {
  from: Date;
  to: Date;
}

/** Stops a schedule from starting runs, until it is resumed. @throws IntakeError `not_found` */
export const pauseSchedule = (tools: ScheduleTools, scheduleId: string, instruction: Instruction): Promise<void> =>
  act(tools, scheduleId, 'pause_schedule', instruction, (schedule) => schedule.pause(noteOf(instruction)));

/** Lets a schedule start runs again. What it missed meanwhile is not made up. @throws IntakeError `not_found` */
export const resumeSchedule = (tools: ScheduleTools, scheduleId: string, instruction: Instruction): Promise<void> =>
  act(tools, scheduleId, 'resume_schedule', instruction, (schedule) => schedule.unpause(noteOf(instruction)));

/** Starts a run of a schedule now, also while it is paused. @throws IntakeError `not_found` */
export const runSchedule = (tools: ScheduleTools, scheduleId: string, instruction: Instruction): Promise<void> =>
  act(tools, scheduleId, 'run_schedule', instruction, (schedule, { overlap }) => schedule.trigger(overlap));

/** Starts the runs that a schedule would have started in a span, each as if it were then. @throws IntakeError `not_found` */
export const backfillSchedule = (
  tools: ScheduleTools,
  scheduleId: string,
  { from, to }: Span,
  instruction: Instruction,
): Promise<void> =>
  act(tools, scheduleId, 'backfill_schedule', instruction, (schedule, { overlap }) =>
    schedule.backfill({ start: from, end: to, overlap }),
  );

/** @returns the times for which a backfill would start runs. @throws IntakeError `not_found` */
export async function planBackfill(
  { client, timeZone }: Omit<ScheduleTools, 'db'>,
  scheduleId: string,
  { from, to }: Span,
): Promise<Date[]> {
  definitionOf(scheduleId, timeZone);
  const { startTime } = await found(() =>
    client.workflowService.listScheduleMatchingTimes({
      namespace: client.options.namespace,
      scheduleId,
      startTime: timestamp(from),
      endTime: timestamp(to),
    }),
  );
  return (startTime ?? []).map(({ seconds }) => new Date(Number(seconds) * 1_000));
}

/** The record and the deed go together: what Temporal refuses is not kept as done. */
async function act(
  { db, client, timeZone }: ScheduleTools,
  scheduleId: string,
  action: string,
  instruction: Instruction,
  deed: (schedule: ScheduleHandle, definition: ScheduleDefinition) => Promise<void>,
): Promise<void> {
  const definition = definitionOf(scheduleId, timeZone);
  await db.transaction(async (tx) => {
    await recordOperatorAction(tx, instruction, action, scheduleId);
    await found(() => deed(client.schedule.getHandle(scheduleId), definition));
  });
}

/** Only what Holdfast declares: the namespace may hold schedules of others. */
function definitionOf(scheduleId: string, timeZone: string): ScheduleDefinition {
  const definition = scheduleDefinitions(timeZone).find((declared) => declared.scheduleId === scheduleId);
  if (!definition) throw notFound('schedule');
  return definition;
}

async function found<Answer>(question: () => Promise<Answer>): Promise<Answer> {
  try {
    return await question();
  } catch (error) {
    const missing = isGrpcServiceError(error) && error.code === status.NOT_FOUND;
    if (missing || error instanceof ScheduleNotFoundError) throw notFound('schedule');
    throw error;
  }
}

/** Shown in the Temporal Web UI, too. */
const noteOf = ({ actor, reason }: Instruction): string => `${reason} (${actor})`;

const timestamp = (time: Date) => ({ seconds: Long.fromNumber(Math.floor(time.getTime() / 1_000)), nanos: 0 });
