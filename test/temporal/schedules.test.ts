import { randomUUID } from 'node:crypto';
import { ScheduleOverlapPolicy, type ScheduleSpec } from '@temporalio/client';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { TASK_QUEUES, WEEKLY_REPORT_SCHEDULE_ID } from '../../src/contracts/names.ts';
import { weeklyReports } from '../../src/db/schema.ts';
import { scheduleDefinitions, scheduleDrift, upsertSchedule, type ScheduleDefinition } from '../../src/temporal/schedules.ts';
import { createNamespace, type TestNamespace } from '../support/namespace.ts';
import { createShop, type Shop } from '../support/shop.ts';

Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR', forward: {} } } });

let temporal: TestNamespace;
beforeAll(async () => {
  temporal = await createNamespace();
});
afterAll(() => temporal.close());

/** The weekly report's schedule, under an id of the test's own. */
function weeklyReport(timeZone = 'Europe/Berlin'): ScheduleDefinition {
  const definition = scheduleDefinitions(timeZone).find(({ scheduleId }) => scheduleId === WEEKLY_REPORT_SCHEDULE_ID);
  if (!definition) throw new Error('no such schedule');
  return { ...definition, scheduleId: `report-${randomUUID()}` };
}

const handleOf = ({ scheduleId }: ScheduleDefinition) => temporal.client.schedule.getHandle(scheduleId);
const driftOf = async (definition: ScheduleDefinition) => scheduleDrift(definition, await handleOf(definition).describe());

describe('declaring a schedule', () => {
  it('makes one, when two workers declare it at the same moment', async () => {
    const definition = weeklyReport();
    const outcomes = await Promise.all([1, 2, 3].map(() => upsertSchedule(temporal.client, definition)));
    expect(outcomes.toSorted()).toEqual(['created', 'unchanged', 'unchanged']);
    expect(await driftOf(definition)).toEqual([]);
  });

  it('finds every schedule of the shop as it was declared', async () => {
    for (const declared of scheduleDefinitions('America/New_York')) {
      const definition = { ...declared, scheduleId: `${declared.scheduleId}-${randomUUID()}` };
      expect(await upsertSchedule(temporal.client, definition)).toBe('created');
      expect(await upsertSchedule(temporal.client, definition)).toBe('unchanged');
    }
  });

  const old = weeklyReport();
  it.each<[string, Partial<ScheduleDefinition>]>([
    ['time zone', { timeZone: 'Asia/Tokyo' }],
    ['calendar', { calendar: { ...old.calendar, hour: [{ start: 9, end: 9, step: 1 }] } }],
    ['arguments', { args: [{ timeZone: 'Asia/Tokyo' }] }],
    ['workflow', { workflowType: 'prune' }],
    ['overlap policy', { overlap: ScheduleOverlapPolicy.SKIP }],
    ['catch-up window', { catchupWindow: 60_000 }],
  ])('notices and applies another %s', async (name, change) => {
    const definition = weeklyReport();
    await upsertSchedule(temporal.client, definition);
    const changed = { ...definition, ...change };
    expect(await driftOf(changed)).toEqual([name]);
    expect(await upsertSchedule(temporal.client, changed)).toBe('updated');
    expect(await driftOf(changed)).toEqual([]);
  });

  it('takes back a change that somebody made on the server', async () => {
    const definition = weeklyReport();
    await upsertSchedule(temporal.client, definition);
    await handleOf(definition).update(({ state, policies, action }) => ({
      state,
      policies,
      action,
      spec: { intervals: [{ every: '1 hour' }], timezone: definition.timeZone },
    }));
    expect(await driftOf(definition)).toContain('calendar');
    expect(await upsertSchedule(temporal.client, definition)).toBe('updated');
    expect(await driftOf(definition)).toEqual([]);
  });

  it.each<[string, Partial<ScheduleSpec>]>([
    ['intervals', { intervals: [{ every: '1 hour' }] }],
    ['exceptions', { skip: [{ month: 'DECEMBER' }] }],
    ['first and last time', { endAt: new Date('2030-01-01T00:00:00Z') }],
    ['jitter', { jitter: '1 hour' }],
  ])('takes back %s that somebody added on the server', async (name, added) => {
    const definition = weeklyReport();
    await upsertSchedule(temporal.client, definition);
    await handleOf(definition).update(({ state, policies, action }) => ({
      state,
      policies,
      action,
      spec: { calendars: [definition.calendar], timezone: definition.timeZone, ...added },
    }));
    expect(await driftOf(definition)).toEqual([name]);
    expect(await upsertSchedule(temporal.client, definition)).toBe('updated');
    expect(await driftOf(definition)).toEqual([]);
  });

  it('leaves a paused schedule paused, also when its definition changes', async () => {
    const definition = weeklyReport();
    await upsertSchedule(temporal.client, definition);
    await handleOf(definition).pause('holidays');
    expect(await upsertSchedule(temporal.client, definition)).toBe('unchanged');
    expect(await upsertSchedule(temporal.client, { ...definition, timeZone: 'Asia/Tokyo' })).toBe('updated');
    const { state } = await handleOf(definition).describe();
    expect(state).toMatchObject({ paused: true, note: 'holidays' });
  });
});

/** @returns how the runs that a schedule has started stand */
async function runsOf({ scheduleId }: ScheduleDefinition): Promise<string[]> {
  const runs: string[] = [];
  for await (const { status } of temporal.client.workflow.list({ query: `TemporalScheduledById = '${scheduleId}'` })) {
    runs.push(status.name);
  }
  return runs;
}

describe('a backfill', () => {
  let shop: Shop;
  let stop: () => Promise<void>;
  beforeAll(async () => {
    shop = await createShop();
    const workers = await Promise.all(
      [TASK_QUEUES.operations, TASK_QUEUES.email].map((taskQueue) =>
        Worker.create({
          connection: temporal.connection,
          namespace: temporal.namespace,
          taskQueue,
          activities: shop.activities(),
          ...(taskQueue === TASK_QUEUES.email ? {} : { workflowBundle: { codePath: inject('workflowBundlePath') } }),
        }),
      ),
    );
    const running = Promise.all(workers.map((worker) => worker.run()));
    stop = async () => {
      for (const worker of workers) worker.shutdown();
      await running;
    };
  });
  afterAll(async () => {
    await stop();
    await shop.close();
  });

  it('gives the report of each past week once, also when it is asked for twice', async () => {
    const definition = { ...weeklyReport(), scheduleId: WEEKLY_REPORT_SCHEDULE_ID };
    await upsertSchedule(temporal.client, definition);
    // Mondays 5 and 12 January 2026, 08:00 in Berlin.
    const past = {
      start: new Date('2026-01-05T00:00:00Z'),
      end: new Date('2026-01-12T12:00:00Z'),
      overlap: ScheduleOverlapPolicy.ALLOW_ALL,
    };
    for (const runs of [2, 4]) {
      await handleOf(definition).backfill(past);
      await expect.poll(() => runsOf(definition), { timeout: 25_000, interval: 100 }).toEqual(Array<string>(runs).fill('COMPLETED'));
    }
    const reports = await shop.db.select().from(weeklyReports).orderBy(weeklyReports.week);
    expect(reports.map(({ week }) => week)).toEqual(['2026-W01', '2026-W02']);
    expect(reports[0]?.startsAt.toISOString()).toBe('2025-12-28T23:00:00.000Z');
    expect(shop.inbox.messages({ to: 'operations@holdfast.example' }).map(({ copies }) => copies)).toEqual([1, 1]);
  });
});
