import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { status } from '@grpc/grpc-js';
import {
  isGrpcServiceError,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type CalendarSpecDescription,
  type Client,
  type ScheduleDescription,
  type ScheduleHandle,
} from '@temporalio/client';
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import Long from 'long';
import { EncryptionCodec } from './payloads/codec.ts';
import {
  PRUNE_SCHEDULE_ID,
  RECONCILE_CHANGES_SCHEDULE_ID,
  RECONCILE_EVERYTHING_SCHEDULE_ID,
  TASK_QUEUES,
  WATCH_RUNS_SCHEDULE_ID,
  WEEKLY_REPORT_SCHEDULE_ID,
} from '../contracts/names.ts';

/** A schedule as Holdfast declares it. */
export interface ScheduleDefinition {
  scheduleId: string;
  workflowType: string;
  args: unknown[];
  /** What each of its runs is, and what it does, as people read it in the Web UI. No personal data. */
  summary: string;
  details: string;
  timeZone: string;
  calendar: CalendarSpecDescription;
  overlap: ScheduleOverlapPolicy;
  /** ms for which missed runs are made up for. The server's default is a year. */
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
    summary: 'Weekly report',
    details: 'compile the report of the week before → email it',
    timeZone,
    calendar: {
      ...EVERY_DAY,
      dayOfWeek: [{ start: 'MONDAY', end: 'MONDAY', step: 1 }],
      hour: at(8),
      minute: at(0),
    },
    // A backfill may start many weeks at once. They do not depend on each other.
    overlap: ScheduleOverlapPolicy.ALLOW_ALL,
    catchupWindow: 31 * DAY,
  },
  {
    scheduleId: PRUNE_SCHEDULE_ID,
    workflowType: 'prune',
    args: [],
    summary: 'Nightly pruning',
    details: 'delete what is past its retention, and replace personal data whose time is over',
    timeZone,
    calendar: { ...EVERY_DAY, hour: at(3), minute: at(30) },
    overlap: ScheduleOverlapPolicy.SKIP,
    catchupWindow: DAY,
  },
  {
    scheduleId: WATCH_RUNS_SCHEDULE_ID,
    workflowType: 'watchRuns',
    args: [],
    summary: 'Watch over runs',
    details: 'report the runs that are broken by a bug in our code',
    timeZone,
    calendar: { ...EVERY_DAY, hour: between(0, 23), minute: between(0, 59) },
    overlap: ScheduleOverlapPolicy.SKIP,
    // Each run looks at everything, so a missed one need not be made up for.
    catchupWindow: 60_000,
  },
  {
    scheduleId: RECONCILE_CHANGES_SCHEDULE_ID,
    workflowType: 'reconcile',
    args: [{ scope: 'changed' }],
    summary: 'Reconciliation of what has changed',
    details: 'compare what has changed, one check after another',
    timeZone,
    calendar: { ...EVERY_DAY, hour: between(0, 23), minute: between(0, 59) },
    overlap: ScheduleOverlapPolicy.SKIP,
    // Each run begins where the last one ended.
    catchupWindow: 60_000,
  },
  {
    scheduleId: RECONCILE_EVERYTHING_SCHEDULE_ID,
    workflowType: 'reconcile',
    args: [{ scope: 'everything', confirm: true }],
    summary: 'Nightly reconciliation of everything',
    details: 'compare everything, one check after another → wait until what differs is old enough → compare that again',
    timeZone,
    calendar: { ...EVERY_DAY, hour: at(2), minute: at(30) },
    overlap: ScheduleOverlapPolicy.SKIP,
    catchupWindow: DAY,
  },
];

/** @returns the declaration of a schedule; undefined when Holdfast does not declare it */
export const findDefinition = (scheduleId: string, timeZone: string): ScheduleDefinition | undefined =>
  scheduleDefinitions(timeZone).find((declared) => declared.scheduleId === scheduleId);

/** @returns whether an error means that Temporal does not have the schedule */
export const isScheduleMissing = (error: unknown): boolean =>
  error instanceof ScheduleNotFoundError || (isGrpcServiceError(error) && error.code === status.NOT_FOUND);

/** A span of time. The server counts its end to it, and its start not. */
export interface Span {
  from: Date;
  to: Date;
}

/** The times at which a schedule starts runs in a span, in their order. */
export interface BackfillTimes {
  times: Date[];
  /** Whether more follow: the server lists a thousand at most. */
  more: boolean;
}

/** @returns the times in a span at which a schedule starts runs */
export async function listBackfillTimes(client: Client, scheduleId: string, span: Span): Promise<BackfillTimes> {
  const times = await listTimes(client, scheduleId, span);
  const last = times.at(-1);
  if (last === undefined) return { times, more: false };
  // The server does not say that it stopped. No schedule starts runs more often than every minute.
  const rest = { from: new Date(last.getTime() + 1_000), to: span.to };
  return { times, more: rest.from <= rest.to && (await listTimes(client, scheduleId, rest)).length > 0 };
}

async function listTimes(client: Client, scheduleId: string, { from, to }: Span): Promise<Date[]> {
  const { startTime } = await client.workflowService.listScheduleMatchingTimes({
    namespace: client.options.namespace,
    scheduleId,
    startTime: timestamp(from),
    endTime: timestamp(to),
  });
  return (startTime ?? []).map(({ seconds }) => new Date(Number(seconds) * 1_000));
}

const timestamp = (time: Date) => ({ seconds: Long.fromNumber(Math.floor(time.getTime() / 1_000)), nanos: 0 });

/** What declaring a schedule did. */
export type ScheduleOutcome = 'created' | 'updated' | 'unchanged';

/**
 * Creates the schedule, or updates it when it differs from its declaration, or its arguments or texts are not encrypted with the
 * present key: otherwise an earlier key could never be removed. A paused one stays paused. Safe to run several times at once, because
 * all agree on the id and the declaration.
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
  const description = await handle.describe();
  if (scheduleDrift(definition, description).length === 0 && isEncodedAsNow(client, description)) return 'unchanged';
  await handle.update(({ state }) => ({ ...content, state }));
  return 'updated';
}

function isEncodedAsNow({ options }: Client, { raw }: ScheduleDescription): boolean {
  const { input, userMetadata } = raw.schedule?.action?.startWorkflow ?? {};
  const payloads = [...(input?.payloads ?? []), userMetadata?.summary, userMetadata?.details].filter((payload) => payload != null);
  return options.loadedDataConverter.payloadCodecs.every(
    (codec) => !(codec instanceof EncryptionCodec) || payloads.every((payload) => codec.isCurrent(payload)),
  );
}

/** @returns the names of what differs between a declared schedule and the server's; empty when nothing does */
export function scheduleDrift(definition: ScheduleDefinition, description: ScheduleDescription): string[] {
  const { spec, action, policies } = description;
  const calendars = (spec.calendars ?? []).map(({ comment: _comment, ...calendar }) => calendar);
  const pairs: Record<string, [declared: unknown, found: unknown]> = {
    calendar: [[definition.calendar], calendars],
    // Not declared, but the Web UI can add them.
    intervals: [[], spec.intervals ?? []],
    exceptions: [[], spec.skip ?? []],
    'first and last time': [[undefined, undefined], [spec.startAt, spec.endAt]],
    jitter: [0, spec.jitter ?? 0],
    'time zone': [definition.timeZone, spec.timezone],
    workflow: [definition.workflowType, action.workflowType],
    arguments: [definition.args, action.args ?? []],
    summary: [definition.summary, action.staticSummary],
    details: [definition.details, action.staticDetails],
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
    staticSummary: definition.summary,
    staticDetails: definition.details,
  },
  policies: { overlap: definition.overlap, catchupWindow: definition.catchupWindow },
});

/** A schedule on the server. */
export interface ScheduleState {
  scheduleId: string;
  workflowType: string;
  paused: boolean;
  note: string | undefined;
  nextRuns: Date[];
  lastRuns: { scheduledAt: Date; takenAt: Date; workflowId: string }[];
  /** What differs from the declaration; `missing` when the server does not have the schedule. */
  drift: string[];
}

/** @returns every declared schedule as it is on the server */
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

/**
 * Lets a schedule start runs again. As an update, which the server dates, so that nobody takes what it did not start while paused for
 * missed. Its arguments need not be decodable.
 */
export async function resume({ client, scheduleId }: ScheduleHandle, notes: string): Promise<void> {
  const { namespace, identity } = client.options;
  const { schedule, conflictToken } = await client.workflowService.describeSchedule({ namespace, scheduleId });
  await client.workflowService.updateSchedule({
    namespace,
    scheduleId,
    schedule: { ...schedule, state: { ...schedule?.state, paused: false, notes } },
    conflictToken,
    identity,
    requestId: randomUUID(),
  });
}

/** A run that a schedule should have started. */
export interface MissedRun {
  scheduleId: string;
  scheduledAt: Date;
}

/** ms. A server that was away makes up for what it has missed, which takes a moment. */
const LATE = 5 * 60_000;
/** ms. No schedule starts runs more rarely than this. */
const RAREST = 8 * DAY;

/**
 * @param now the present time, which the server's clock need not be at
 * @returns the last run of each schedule that it should have started and has not. One that is paused starts none on purpose, and one
 * whose run is still under way may skip the next
 */
export async function readMissedRuns(client: Client, timeZone: string, now: Date): Promise<MissedRun[]> {
  const missed = await Promise.all(scheduleDefinitions(timeZone).map(({ scheduleId }) => findMissedRun(client, scheduleId, now)));
  return missed.filter((run) => run !== undefined);
}

async function findMissedRun(client: Client, scheduleId: string, now: Date): Promise<MissedRun | undefined> {
  // Not decoded: its key may be gone, and that must hide no missed run.
  const { namespace } = client.options;
  const found = await client.workflowService.describeSchedule({ namespace, scheduleId }).catch((error: unknown) => {
    // No worker has declared it yet.
    if (isScheduleMissing(error)) return undefined;
    throw error;
  });
  if (!found?.info) return undefined;
  const { runningWorkflows, recentActions, createTime, updateTime } = found.info;
  if (found.schedule?.state?.paused || (runningWorkflows ?? []).length > 0) return undefined;
  // In the order in which they were started: those of a backfill come late.
  const runs = (recentActions ?? []).map(({ scheduleTime }) => scheduleTime);
  const since = [...runs, createTime, updateTime].map((time) => optionalTsToMs(time) ?? 0);
  const from = new Date(Math.max(...since, now.getTime() - RAREST));
  const to = new Date(now.getTime() - LATE);
  if (from >= to) return undefined;
  const scheduledAt = (await listTimes(client, scheduleId, { from, to })).find((time) => time > from);
  return scheduledAt && { scheduleId, scheduledAt };
}
