import type { Client } from '@temporalio/client';
import { and, count, eq, lt, min, not, sql } from 'drizzle-orm';
import type { AlertContent } from '../contracts/alerts.ts';
import type { Transaction } from '../db/client.ts';
import { commands } from '../db/schema.ts';
import { isForBrokenRun } from '../records/commands.ts';
import { readQueues, type QueueState, type TaskBacklog } from '../temporal/queues.ts';
import { readMissedRuns, type MissedRun } from '../temporal/schedules.ts';
import { clockTime, type Clock, type Trouble } from './trouble.ts';

/** ms. Workers that are replaced are away for a moment. */
const WORKERS_AWAY = 60_000;

/** ms. A schedule that was just resumed, or a server that has just started, may be a little late. */
const SCHEDULE_LATE = 2 * 60_000;

/** What Temporal says about the backlog. What it does not answer is undefined: then nothing is known, and commands wait. */
export interface TemporalBacklog {
  queues?: QueueState[] | undefined;
  missed?: MissedRun[] | undefined;
}

/** @returns what Temporal says. One question that is not answered does not spoil the other */
export async function readTemporalBacklog(client: Client, clock: Clock, deadline: number): Promise<TemporalBacklog> {
  return await client.withDeadline(Date.now() + deadline, async () => {
    const [queues, missed] = await Promise.all([
      readQueues(client).catch(() => undefined),
      readMissedRuns(client, clock.timeZone, clock.now).catch(() => undefined),
    ]);
    return { queues, missed };
  });
}

/** @returns whether an alert is about what Temporal has not answered, so that it may go on */
export const isUnknown = (subject: string, { queues, missed }: TemporalBacklog): boolean =>
  (queues === undefined && /^(workers|tasks)\//.test(subject)) || (missed === undefined && subject.startsWith('schedule/'));

/**
 * @returns the commands that have waited for longer than `limit` ms, as one trouble. Those for a broken run wait until it is reset, and
 * that run has an alert of its own
 */
export async function readCommandBacklog(tx: Transaction, limit: number, clock: Clock): Promise<Trouble[]> {
  const { createdAt, lastError, state } = commands;
  const [waiting] = await tx
    .select({ count: count(), oldest: min(createdAt), error: sql<string | null>`(array_agg(${lastError} order by ${createdAt}))[1]` })
    .from(commands)
    .where(and(eq(state, 'pending'), lt(createdAt, new Date(clock.now.getTime() - limit)), not(isForBrokenRun)));
  if (!waiting?.oldest) return [];
  const { count: number, oldest: since, error } = waiting;
  return [
    trouble('commands', { count: number, since }, () => ({
      title: `${number} ${number === 1 ? 'command is' : 'commands are'} not delivered to Temporal: the oldest has waited since ${clockTime(since, clock)}`,
      lines: [
        'Orders are accepted and wait. Is a worker of the orders queue running, and is Temporal?',
        ...(error === null ? [] : [`Last error: ${error}`]),
      ],
      path: '/ops',
      over: 'commands are delivered again',
    })),
  ];
}

/** @returns what is wrong with the task queues and the schedules */
export function temporalTroubles({ queues = [], missed = [] }: TemporalBacklog, limit: number, clock: Clock): Trouble[] {
  return [
    ...queues.flatMap((state) => queueTroubles(state, limit, clock)),
    ...missed.map(({ scheduleId, scheduledAt: since }) =>
      trouble(`schedule/${scheduleId}`, { count: 1, since, holdFor: SCHEDULE_LATE }, () => ({
        title: `the schedule ${scheduleId} did not run at ${clockTime(since, clock)}`,
        lines: ['Make up for it with a backfill once the cause is fixed.'],
        path: '/ops/schedules',
        over: `the schedule ${scheduleId} runs again`,
      })),
    ),
  ];
}

function queueTroubles({ queue, taskQueue, workflows, activities, warning }: QueueState, limit: number, clock: Clock): Trouble[] {
  const { now } = clock;
  const waiting = workflows.backlog + activities.backlog;
  const age = Math.max(ageOf(workflows), ageOf(activities));
  const since = new Date(now.getTime() - age);
  const away = trouble(
    `workers/${queue}`,
    { count: 1, since: now, holdFor: WORKERS_AWAY },
    ({ timeZone }, began) => ({
      title: `no workers have polled ${taskQueue} since ${clockTime(began, { now, timeZone })}`,
      lines: [`Nothing of this queue moves, and nothing is lost. Start a worker of the queue ${queue}.`],
      path: '/ops',
      over: `workers poll ${taskQueue} again`,
    }),
  );
  const slow = trouble(`tasks/${queue}`, { count: waiting, since }, () => ({
    title: `${waiting} ${waiting === 1 ? 'task waits' : 'tasks wait'} in ${taskQueue}: the oldest since ${clockTime(since, clock)}`,
    lines: ['Start more workers, or find out which service behind them is slow.'],
    path: '/ops',
    over: `tasks of ${taskQueue} are done in time again`,
  }));
  return [...(warning === undefined ? [] : [away]), ...(waiting > 0 && age > limit ? [slow] : [])];
}

/** An empty queue has no oldest task, whatever its estimate says. */
const ageOf = ({ backlog, backlogAge }: TaskBacklog): number => (backlog > 0 ? backlogAge : 0);

function trouble(
  subject: string,
  { count: number, since, holdFor = 0 }: { count: number; since: Date; holdFor?: number },
  words: (clock: Clock, since: Date) => Pick<AlertContent, 'title' | 'lines' | 'path' | 'over'>,
): Trouble {
  return {
    subject,
    count: number,
    since,
    holdFor,
    describe: (_tx, clock, began) => Promise.resolve({ ...words(clock, began), count: number, since: began.toISOString() }),
  };
}
