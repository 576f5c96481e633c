import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WeeklyFigures } from '../../src/contracts/report.ts';
import { weeklyReports } from '../../src/db/schema.ts';
import { call, startTestApi, type TestApi } from './support/api.ts';

const figures: WeeklyFigures = {
  currency: 'EUR',
  orders: { accepted: 3, completed: 2, cancelled: 0, failed: 1, open: 0 },
  money: { captured: 4200, refunded: 0 },
  signups: { started: 1, verified: 1, subscribed: 0, expired: 0 },
  failures: { opened: 1, stillOpen: 0 },
  days: [{ date: '2026-11-16', orders: 3, captured: 4200 }],
};
const chart = '<svg xmlns="http://www.w3.org/2000/svg"/>';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  const zone = { timeZone: 'Europe/Berlin', figures, chart };
  await api.db.insert(weeklyReports).values([
    { week: '2026-W46', startsAt: new Date('2026-11-08T23:00:00Z'), endsAt: new Date('2026-11-15T23:00:00Z'), ...zone },
    { week: '2026-W47', startsAt: new Date('2026-11-15T23:00:00Z'), endsAt: new Date('2026-11-22T23:00:00Z'), ...zone },
  ]);
});
afterAll(() => api.close());

const get = (path: string, accept = 'application/json') =>
  call(api, 'GET', path, { key: api.keys.support.key, headers: { Accept: accept } });

describe('weekly reports', () => {

  it('are listed, newest first', async () => {
    const { status, body } = await get('/v1/reports/weekly');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      data: [
        { week: '2026-W47', figures, startsAt: '2026-11-15T23:00:00.000Z', links: { self: '/v1/reports/weekly/2026-W47' } },
        { week: '2026-W46' },
      ],
    });
  });

  it('show one week with its chart', async () => {
    expect((await get('/v1/reports/weekly/2026-W46')).body).toMatchObject({ week: '2026-W46', figures, chart });
  });

  it('return the chart when an image is requested', async () => {
    const { headers, body } = await get('/v1/reports/weekly/2026-W47', 'image/svg+xml');
    expect(headers.get('Content-Type')).toBe('image/svg+xml');
    expect(headers.get('Vary')).toBe('Accept');
    expect(body).toBe(chart);
  });

  it('do not exist before their week is over', async () => {
    expect((await get('/v1/reports/weekly/2026-W48')).status).toBe(404);
  });
});
