import { randomUUID } from 'node:crypto';
import { Client, ScheduleOverlapPolicy, type ScheduleSpec } from '@temporalio/client';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { PRUNE_SCHEDULE_ID, RECONCILE_EVERYTHING_SCHEDULE_ID, WEEKLY_REPORT_SCHEDULE_ID } from '../../src/contracts/names.ts';
import { loadPayloadKeys } from '../../src/config.ts';
import { weeklyReports } from '../../src/db/schema.ts';
import { createDataConverter } from '../../src/temporal/payloads/data-converter.ts';
import {
  readMissedRuns,
  resume,
  scheduleDefinitions,
  scheduleDrift,
  upsertSchedule,
  type ScheduleDefinition,
} from '../../src/temporal/schedules.ts';
import { useNamespace } from '../support/namespace.ts';
import { PAYLOAD_KEYS } from '../support/payloads.ts';
import { useShop } from '../support/shop.ts';
import { startWorkers } from '../support/workers.ts';

const temporal = await useNamespace();
const shop = await useShop();
afterAll(await startWorkers(shop, { ...temporal, queues: ['operations', 'email'] }));

/** @returns the schedule of the weekly report, with an id that only one test uses */
function weeklyReport(timeZone = 'Europe/Berlin'): ScheduleDefinition {
  const definition = scheduleDefinitions(timeZone).find(({ scheduleId }) => scheduleId === WEEKLY_REPORT_SCHEDULE_ID);
  if (!definition) throw new Error('No schedule for the weekly report.');
  return { ...definition, scheduleId: `report-${randomUUID()}` };
}

const handleOf = ({ scheduleId }: ScheduleDefinition) => temporal.client.schedule.getHandle(scheduleId);
const driftOf = async (definition: ScheduleDefinition) => scheduleDrift(definition, await handleOf(definition).describe());

/** Changes the spec of a schedule on the server, as another client could. */
const changeOnServer = (definition: ScheduleDefinition, spec: ScheduleSpec) =>
  handleOf(definition).update(({ state, policies, action }) => ({
    state,
    policies,
    action,
    spec: { timezone: definition.timeZone, ...spec },
  }));

const newKey = `new:${Buffer.alloc(32).toString('base64')}`;

/** @returns a client with other keys */
function clientWith(keys: string): Client {
  const dataConverter = createDataConverter(loadPayloadKeys({ PAYLOAD_KEYS: keys }));
  return new Client({ connection: temporal.connection, namespace: temporal.namespace, dataConverter });
}

describe('declaring a schedule', () => {
  it('creates it once when three workers declare it at the same time', async () => {
    const definition = weeklyReport();
    const outcomes = await Promise.all([1, 2, 3].map(() => upsertSchedule(temporal.client, definition)));
    expect(outcomes.toSorted()).toEqual(['created', 'unchanged', 'unchanged']);
    expect(await driftOf(definition)).toEqual([]);
  });

  it('leaves every schedule of the shop unchanged the second time', async () => {
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
    ['summary', { summary: 'A report' }],
    ['details', { details: 'compile → send' }],
  ])('detects and applies a new %s', async (name, change) => {
    const definition = weeklyReport();
    await upsertSchedule(temporal.client, definition);
    const changed = { ...definition, ...change };
    expect(await driftOf(changed)).toEqual([name]);
    expect(await upsertSchedule(temporal.client, changed)).toBe('updated');
    expect(await driftOf(changed)).toEqual([]);
  });

  it('adds the summary to a schedule of an earlier version, once', async () => {
    const definition = weeklyReport();
    await upsertSchedule(temporal.client, definition);
    await handleOf(definition).update(({ state, policies, spec, action: { staticSummary: _summary, staticDetails: _details, ...action } }) => ({
      state,
      policies,
      spec,
      action,
    }));
    expect(await driftOf(definition)).toEqual(['summary', 'details']);
    expect(await upsertSchedule(temporal.client, definition)).toBe('updated');
    expect(await upsertSchedule(temporal.client, definition)).toBe('unchanged');
  });

  it('reverts a change that was made on the server', async () => {
    const definition = weeklyReport();
    await upsertSchedule(temporal.client, definition);
    await changeOnServer(definition, { intervals: [{ every: '1 hour' }] });
    expect(await driftOf(definition)).toContain('calendar');
    expect(await upsertSchedule(temporal.client, definition)).toBe('updated');
    expect(await driftOf(definition)).toEqual([]);
  });

  it.each<[string, Partial<ScheduleSpec>]>([
    ['intervals', { intervals: [{ every: '1 hour' }] }],
    ['exceptions', { skip: [{ month: 'DECEMBER' }] }],
    ['first and last time', { endAt: new Date('2030-01-01T00:00:00Z') }],
    ['jitter', { jitter: '1 hour' }],
  ])('removes %s added on the server', async (name, added) => {
    const definition = weeklyReport();
    await upsertSchedule(temporal.client, definition);
    await changeOnServer(definition, { calendars: [definition.calendar], ...added });
    expect(await driftOf(definition)).toEqual([name]);
    expect(await upsertSchedule(temporal.client, definition)).toBe('updated');
    expect(await driftOf(definition)).toEqual([]);
  });

  it('encrypts its arguments again once there is another key, so that the earlier key can be removed', async () => {
    const definition = weeklyReport();
    await upsertSchedule(temporal.client, definition);
    const removed = clientWith(newKey).schedule.getHandle(definition.scheduleId);
    await expect(removed.describe()).rejects.toThrow('the key "test"');

    const rotated = clientWith(`${newKey},${PAYLOAD_KEYS}`);
    expect(await upsertSchedule(rotated, definition)).toBe('updated');
    expect(await upsertSchedule(rotated, definition)).toBe('unchanged');
    expect(scheduleDrift(definition, await removed.describe())).toEqual([]);
  });

  it('encrypts its summary again as well, even where nothing else is encrypted', async () => {
    const definition = { ...weeklyReport(), workflowType: 'prune', args: [] };
    await upsertSchedule(temporal.client, definition);
    const rotated = clientWith(`${newKey},${PAYLOAD_KEYS}`);
    expect(await upsertSchedule(rotated, definition)).toBe('updated');
    expect(await upsertSchedule(rotated, definition)).toBe('unchanged');
  });

  it('keeps a paused schedule paused, even if its definition changes', async () => {
    const definition = weeklyReport();
    await upsertSchedule(temporal.client, definition);
    await handleOf(definition).pause('holidays');
    expect(await upsertSchedule(temporal.client, definition)).toBe('unchanged');
    expect(await upsertSchedule(temporal.client, { ...definition, timeZone: 'Asia/Tokyo' })).toBe('updated');
    const { state } = await handleOf(definition).describe();
    expect(state).toMatchObject({ paused: true, note: 'holidays' });
  });
});

/** @returns the statuses of the runs that a schedule has started */
async function runsOf({ scheduleId }: ScheduleDefinition): Promise<string[]> {
  const runs: string[] = [];
  for await (const { status } of temporal.client.workflow.list({ query: `TemporalScheduledById = '${scheduleId}'` })) {
    runs.push(status.name);
  }
  return runs;
}

describe('a backfill', () => {
  it('creates the report of each past week once, even if it is requested twice', async () => {
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

it('gives its runs a summary and details, as the Web UI shows them', async () => {
  for (const declared of scheduleDefinitions('UTC')) {
    const definition = { ...declared, scheduleId: `${declared.scheduleId}-${randomUUID()}`, workflowType: 'prune', args: [] };
    await upsertSchedule(temporal.client, definition);
    await handleOf(definition).trigger();
    const started = async () => (await handleOf(definition).describe()).info.recentActions.at(0)?.action.workflow;
    await expect.poll(started, { timeout: 25_000, interval: 100 }).toBeDefined();
    const { workflowId = '', firstExecutionRunId } = (await started()) ?? {};
    const run = await temporal.client.workflow.getHandle(workflowId, firstExecutionRunId).describe();
    expect([await run.staticSummary(), await run.staticDetails()]).toEqual([declared.summary, declared.details]);
  }
});

const only = (start: number) => [{ start, end: start, step: 1 }];
const later = (time: Date, ms: number) => new Date(time.getTime() + ms);

describe('a missed run', () => {
  const MINUTE = 60_000;
  const HOUR = 60 * MINUTE;
  const DAY = 24 * HOUR;
  const EVENTUALLY = { timeout: 25_000, interval: 100 };
  const created: ScheduleDefinition[] = [];
  afterEach(async () => {
    const ids = new Set(created.splice(0).map(({ scheduleId }) => scheduleId));
    for (const id of ids) await temporal.client.schedule.getHandle(id).delete();
  });

  /** Declares a schedule of the shop that starts a run once a day, the first time after `ms`. @returns it, and that time */
  async function startsIn(ms: number, scheduleId: string) {
    const first = new Date(Math.floor((Date.now() + ms) / 1_000) * 1_000);
    const calendar = { hour: only(first.getUTCHours()), minute: only(first.getUTCMinutes()), second: only(first.getUTCSeconds()) };
    const [declared] = scheduleDefinitions('UTC').filter((one) => one.scheduleId === scheduleId);
    if (!declared) throw new Error('No such schedule.');
    const definition = { ...declared, calendar: { ...declared.calendar, ...calendar } };
    await upsertSchedule(temporal.client, definition);
    created.push(definition);
    return { definition, first };
  }
  const missedAt = async (now: Date, client = temporal.client) =>
    (await readMissedRuns(client, 'UTC', now)).filter((run) => created.some(({ scheduleId }) => scheduleId === run.scheduleId));

  it('is one that the schedule has not started by its time, unless it is paused', async () => {
    const { definition, first } = await startsIn(HOUR, PRUNE_SCHEDULE_ID);
    expect(await missedAt(later(first, 6 * MINUTE))).toEqual([{ scheduleId: PRUNE_SCHEDULE_ID, scheduledAt: first }]);
    await handleOf(definition).pause();
    expect(await missedAt(later(first, 6 * MINUTE))).toEqual([]);
  });

  it('is none that was due before the schedule was resumed', async () => {
    const { definition } = await startsIn(HOUR, RECONCILE_EVERYTHING_SCHEDULE_ID);
    await handleOf(definition).pause();
    const { first } = await startsIn(3_000, RECONCILE_EVERYTHING_SCHEDULE_ID);
    await expect.poll(() => Date.now(), EVENTUALLY).toBeGreaterThan(first.getTime() + 1_000);
    await resume(handleOf(definition), 'the holidays are over');
    const { state, info } = await handleOf(definition).describe();
    expect(state).toMatchObject({ paused: false, note: 'the holidays are over' });
    expect(info.recentActions).toEqual([]);
    expect(await missedAt(later(first, 6 * MINUTE))).toEqual([]);
    expect(await missedAt(later(first, DAY + 6 * MINUTE))).toEqual([
      { scheduleId: RECONCILE_EVERYTHING_SCHEDULE_ID, scheduledAt: later(first, DAY) },
    ]);
  });

  it('is none before the last run that the schedule started in time, even if a backfill came after it', async () => {
    const { definition, first } = await startsIn(5_000, PRUNE_SCHEDULE_ID);
    const ended = async () => (await runsOf(definition)).filter((status) => status === 'COMPLETED').length;
    await expect.poll(ended, EVENTUALLY).toBe(1);
    await handleOf(definition).backfill({
      start: later(first, -2 * DAY - MINUTE),
      end: later(first, -2 * DAY + MINUTE),
      overlap: ScheduleOverlapPolicy.ALLOW_ALL,
    });
    await expect.poll(ended, EVENTUALLY).toBe(2);
    await expect.poll(async () => (await handleOf(definition).describe()).info.runningActions, EVENTUALLY).toEqual([]);
    const { info } = await handleOf(definition).describe();
    expect(info.recentActions.map(({ scheduledAt }) => scheduledAt)).toEqual([first, later(first, -2 * DAY)]);
    expect(await missedAt(later(first, 6 * MINUTE))).toEqual([]);
  });

  it('is found although its schedule cannot be decoded', async () => {
    const { first } = await startsIn(HOUR, PRUNE_SCHEDULE_ID);
    expect(await missedAt(later(first, 6 * MINUTE), clientWith(newKey))).toEqual([{ scheduleId: PRUNE_SCHEDULE_ID, scheduledAt: first }]);
  });
});
