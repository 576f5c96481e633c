import { isDeepStrictEqual } from 'node:util';
import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type CalendarSpecDescription,
  type Client,
  type ScheduleDescription,
} from '@temporalio/client';
import {
  PRUNE_SCHEDULE_ID,
  TASK_QUEUES,
  WATCH_RUNS_SCHEDULE_ID,
  WEEKLY_REPORT_SCHEDULE_ID,
} from '../contracts/names.ts';

/** A schedule as Holdfast declares it: what is compared with what the server has. */
export interface ScheduleDefinition {
  scheduleId: string;
  workflowType: string;
  args: unknown[];
  timeZone: string;
  calendar: CalendarSpecDescription;
  overlap: ScheduleOverlapPolicy;
  /** ms for which missed runs are made up. The server's default is a year. */
  catchupWindow: number;
}

const DAY = 86_400_000;

const at = (start: number) => [{ start, end: start, step: 1 }];
const between = (start: number, end: number) => [{ start, end, step: 1 }];
const EVERY_DAY = {
  second: at(0),
  dayOfMonth: between(1, 31),
  month: [{ start: 'JANUARY', end: 'DECEMBER', step: 1 }],
  year: [],
  dayOfWeek: [{ start: 'SUNDAY', end: 'SATURDAY', step: 1 }],
} satisfies Partial<CalendarSpecDescription>;

/**
 * The schedules of Holdfast. A change here is applied when a worker starts.
 * @param timeZone IANA name
 */
export const scheduleDefinitions = (timeZone: string): ScheduleDefinition[] => [
  {
    scheduleId: WEEKLY_REPORT_SCHEDULE_ID,
    workflowType: 'weeklyReport',
    args: [{ timeZone }],
    timeZone,
    calendar: {
      ...EVERY_DAY,
      dayOfWeek: [{ start: 'MONDAY', end: 'MONDAY', step: 1 }],
      hour: at(8),
      minute: at(0),
    },
    // A backfill asks for many weeks at once: each is its own.
    overlap: ScheduleOverlapPolicy.ALLOW_ALL,
    catchupWindow: 31 * DAY,
  },
  {
    scheduleId: PRUNE_SCHEDULE_ID,
    workflowType: 'prune',
    args: [],
    timeZone,
    calendar: { ...EVERY_DAY, hour: at(3), minute: at(30) },
    overlap: ScheduleOverlapPolicy.SKIP,
    catchupWindow: DAY,
  },
  {
    scheduleId: WATCH_RUNS_SCHEDULE_ID,
    workflowType: 'watchRuns',
    args: [],
    timeZone,
    calendar: { ...EVERY_DAY, hour: between(0, 23), minute: between(0, 59) },
    overlap: ScheduleOverlapPolicy.SKIP,
    // It looks at everything each time: a missed look needs no making up.
    catchupWindow: 60_000,
  },
];

/** What became of a declared schedule. */
export type ScheduleOutcome = 'created' | 'updated' | 'unchanged';

/**
 * Makes the server's schedule what is declared here: creates it, or updates it when it differs, and leaves it paused if
 * it was. Safe to run several times at once: all agree on the id, and on what it should be.
 */
export async function upsertSchedule(client: Client, definition: ScheduleDefinition): Promise<ScheduleOutcome> {
  const { scheduleId, ...content } = { scheduleId: definition.scheduleId, ...toOptions(definition) };
  try {
    await client.schedule.create({ scheduleId, ...content });
    return 'created';
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
  const handle = client.schedule.getHandle(scheduleId);
  if (scheduleDrift(definition, await handle.describe()).length === 0) return 'unchanged';
  await handle.update(({ state }) => ({ ...content, state }));
  return 'updated';
}

/** @returns the names of what differs between a declared schedule and the one that the server has; empty when nothing does */
export function scheduleDrift(definition: ScheduleDefinition, description: ScheduleDescription): string[] {
  const { spec, action, policies } = description;
  const calendars = (spec.calendars ?? []).map(({ comment: _comment, ...calendar }) => calendar);
  const pairs: Record<string, [declared: unknown, found: unknown]> = {
    calendar: [[definition.calendar], calendars],
    // None are declared; the Web UI can add them.
    intervals: [[], spec.intervals ?? []],
    exceptions: [[], spec.skip ?? []],
    'first and last time': [[undefined, undefined], [spec.startAt, spec.endAt]],
    jitter: [0, spec.jitter ?? 0],
    'time zone': [definition.timeZone, spec.timezone],
    workflow: [definition.workflowType, action.workflowType],
    arguments: [definition.args, action.args ?? []],
    'task queue': [TASK_QUEUES.operations, action.taskQueue],
    'overlap policy': [definition.overlap, policies.overlap],
    'catch-up window': [definition.catchupWindow, policies.catchupWindow],
  };
  return Object.entries(pairs)
    .filter(([, [declared, found]]) => !isDeepStrictEqual(declared, found))
    .map(([name]) => name);
}

const toOptions = (definition: ScheduleDefinition) => ({
  spec: { calendars: [definition.calendar], timezone: definition.timeZone },
  action: {
    type: 'startWorkflow' as const,
    workflowType: definition.workflowType,
    workflowId: definition.scheduleId,
    taskQueue: TASK_QUEUES.operations,
    args: definition.args,
  },
  policies: { overlap: definition.overlap, catchupWindow: definition.catchupWindow },
});

/** A schedule as people see it. */
export interface ScheduleState {
  scheduleId: string;
  workflowType: string;
  paused: boolean;
  note: string | undefined;
  nextRuns: Date[];
  lastRuns: { scheduledAt: Date; takenAt: Date; workflowId: string }[];
  /** What differs from the declaration; `missing` when the server does not have it. */
  drift: string[];
}

/** @returns every declared schedule, as the server has it */
export async function listSchedules(client: Client, timeZone: string): Promise<ScheduleState[]> {
  return await Promise.all(
    scheduleDefinitions(timeZone).map(async (definition) => {
      const { scheduleId, workflowType } = definition;
      try {
        const description = await client.schedule.getHandle(scheduleId).describe();
        const { state, info } = description;
        return {
          scheduleId,
          workflowType,
          paused: state.paused,
          note: state.note,
          nextRuns: info.nextActionTimes,
          lastRuns: info.recentActions.map(({ scheduledAt, takenAt, action }) => ({
            scheduledAt,
            takenAt,
            workflowId: action.workflow.workflowId,
          })),
          drift: scheduleDrift(definition, description),
        };
      } catch (error) {
        if (!(error instanceof ScheduleNotFoundError)) throw error;
        const missing = { paused: false, note: undefined, nextRuns: [], lastRuns: [], drift: ['missing'] };
        return { scheduleId, workflowType, ...missing };
      }
    }),
  );
}
