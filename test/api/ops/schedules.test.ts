import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { operatorActions } from '../../../src/db/schema.ts';
import { scheduleDefinitions, upsertSchedule } from '../../../src/temporal/schedules.ts';
import { createNamespace, type TestNamespace } from '../../support/namespace.ts';
import { call, startTestApi, type TestApi } from '../support/api.ts';

let api: TestApi;
let temporal: TestNamespace;
beforeAll(async () => {
  vi.stubEnv('TEMPORAL_ADDRESS', inject('temporalAddress'));
  temporal = await createNamespace();
  api = await startTestApi({ namespace: temporal.namespace });
  for (const definition of scheduleDefinitions('Europe/Berlin')) await upsertSchedule(temporal.client, definition);
});
afterAll(async () => {
  await api.close();
  await temporal.close();
  vi.unstubAllEnvs();
});

const list = () => call(api, 'GET', '/v1/ops/schedules', { key: api.keys.operator.key });
const act = (verb: string, body: unknown, id = 'weekly-report') =>
  call(api, 'POST', `/v1/ops/schedules/${id}/${verb}`, { key: api.keys.operator.key, body });
/** Plans a backfill of a schedule that runs every minute. */
const planMinutes = (count: number) => {
  const span = { from: '2026-01-01T00:00:00Z', to: new Date(Date.UTC(2026, 0, 1, 0, count)).toISOString() };
  return act('backfill', { ...span, reason: 'to see', dryRun: true }, 'watch-runs');
};
const weekly = (fields: object) => ({
  data: expect.arrayContaining([expect.objectContaining({ scheduleId: 'weekly-report', ...fields })]),
});

describe('the schedules', () => {
  it('are listed with their next runs and their declaration', async () => {
    const { status, body } = await list();
    expect(status).toBe(200);
    expect(body).toMatchObject(
      weekly({ workflowType: 'weeklyReport', paused: false, note: null, nextRuns: expect.arrayContaining([expect.any(String)]), drift: [] }),
    );
  });

  it('are paused and resumed with a note, and audited', async () => {
    expect((await act('pause', { reason: 'holidays' })).status).toBe(202);
    expect((await list()).body).toMatchObject(weekly({ paused: true, note: expect.stringContaining('holidays') }));
    expect((await act('resume', { reason: 'back' })).status).toBe(202);
    expect((await list()).body).toMatchObject(weekly({ paused: false, note: expect.stringContaining('back') }));
    const actor = `key:${api.keys.operator.id}`;
    expect((await call(api, 'GET', '/v1/ops/actions?limit=2', { key: api.keys.operator.key })).body).toMatchObject({
      data: [
        { actor, action: 'resume_schedule', target: 'weekly-report', reason: 'back' },
        { actor, action: 'pause_schedule', target: 'weekly-report', reason: 'holidays' },
      ],
    });
  });

  it('can be triggered', async () => {
    expect((await act('run', { reason: 'the boss asks' })).status).toBe(202);
    await vi.waitFor(async () => {
      expect((await list()).body).toMatchObject(
        weekly({ lastRuns: [expect.objectContaining({ workflowId: expect.stringMatching('^weekly-report') })] }),
      );
    }, 20_000);
  });

  it('are backfilled over a time span, after a dry run', async () => {
    // Three Mondays at 08:00 in Berlin.
    const span = { from: '2026-01-01T00:00:00Z', to: '2026-01-20T00:00:00Z' };
    const runs = ['2026-01-05T07:00:00.000Z', '2026-01-12T07:00:00.000Z', '2026-01-19T07:00:00.000Z'];
    const before = await api.db.$count(operatorActions);
    const plan = await act('backfill', { ...span, reason: 'to see', dryRun: true });
    expect(plan).toMatchObject({ status: 200, body: { scheduleId: 'weekly-report', runs, more: false } });
    expect(await api.db.$count(operatorActions)).toBe(before);
    expect(await act('backfill', { ...span, reason: 'they are missing' })).toMatchObject({ status: 202, body: { runs } });
    await vi.waitFor(async () => {
      const { info } = await temporal.client.schedule.getHandle('weekly-report').describe();
      expect(info.recentActions.map(({ scheduledAt }) => scheduledAt.toISOString())).toEqual(expect.arrayContaining(runs));
    }, 20_000);
  });

  it('are planned up to a thousand runs, and say when there are more', async () => {
    expect((await planMinutes(1_000)).body).toMatchObject({ runs: expect.objectContaining({ length: 1_000 }), more: false });
    expect((await planMinutes(1_001)).body).toMatchObject({ runs: expect.objectContaining({ length: 1_000 }), more: true });
  });

  it.each([
    ['backwards', { from: '2026-02-01T00:00:00Z', to: '2026-01-01T00:00:00Z' }],
    ['of more than a year', { from: '2024-01-01T00:00:00Z', to: '2026-01-01T00:00:00Z' }],
    ['into the future', { from: new Date(Date.now() - 60_000).toISOString(), to: new Date(Date.now() + 3_600_000).toISOString() }],
    ['in the year 0', { from: '0000-01-01T00:00:00Z', to: '0000-02-01T00:00:00Z' }],
    ['of no times', { from: 'last week', to: 'today' }],
  ])('are not backfilled %s', async (_, span) => {
    expect((await act('backfill', { ...span, reason: 'because' })).status).toBe(422);
  });

  it('answer 404 when they are not declared, and refuse an action without a reason', async () => {
    expect((await act('pause', { reason: 'none' }, 'someone-elses')).status).toBe(404);
    expect((await act('pause', {})).status).toBe(422);
  });

  it('are marked when they differ from their declaration, or are missing', async () => {
    await temporal.client.schedule.getHandle('weekly-report').update(({ spec: _spec, ...rest }) => ({
      ...rest,
      spec: { calendars: [{ hour: 9 }], timezone: 'Asia/Tokyo' },
    }));
    await temporal.client.schedule.getHandle('prune').delete();
    const { body } = await list();
    expect(body).toMatchObject(weekly({ drift: expect.arrayContaining(['calendar', 'time zone']) }));
    await vi.waitFor(async () => {
      expect((await list()).body).toMatchObject({
        data: expect.arrayContaining([expect.objectContaining({ scheduleId: 'prune', drift: ['missing'], nextRuns: [] })]),
      });
    }, 20_000);
    expect((await act('pause', { reason: 'gone' }, 'prune')).status).toBe(404);
  });
});

describe('without Temporal', () => {
  it('answers 503 for schedules, and records no action', async () => {
    vi.stubEnv('TEMPORAL_ADDRESS', '127.0.0.1:1');
    const alone = await startTestApi();
    try {
      const { key } = alone.keys.operator;
      const problem = { status: 503, body: { type: 'urn:holdfast:problem:temporal-unavailable' } };
      expect(await call(alone, 'GET', '/v1/ops/schedules', { key })).toMatchObject(problem);
      const body = { reason: 'in vain' };
      expect(await call(alone, 'POST', '/v1/ops/schedules/weekly-report/pause', { key, body })).toMatchObject(problem);
      expect(await alone.db.$count(operatorActions)).toBe(0);
    } finally {
      await alone.close();
      vi.stubEnv('TEMPORAL_ADDRESS', inject('temporalAddress'));
    }
  });
});
