import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bookChecks, differences } from '../../../src/db/schema.ts';
import { call, startTestApi, type TestApi } from '../support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

describe('the books', () => {
  it('show each check with its last runs, and what differs', async () => {
    const at = new Date('2026-11-24T08:00:00Z');
    await api.db.insert(bookChecks).values({ check: 'stock', scope: 'everything', startedAt: at, finishedAt: at, compared: 6 });
    await api.db.insert(differences).values({ check: 'stock', subject: 'TEA', what: 'stock_differs', ours: '5', theirs: '4' });
    const { status, body } = await call(api, 'GET', '/v1/ops/books', { key: api.keys.operator.key });
    expect(status).toBe(200);
    const run = { scope: 'everything', startedAt: at.toISOString(), finishedAt: at.toISOString(), compared: 6, error: null };
    expect(body).toMatchObject({
      checks: expect.arrayContaining([
        expect.objectContaining({ check: 'stock', runs: [run], differences: 1 }),
        expect.objectContaining({ check: 'payments', runs: [], differences: 0, sides: { ours: 'Postgres', theirs: 'The payment provider' } }),
      ]),
      differences: [{ check: 'stock', subject: 'TEA', ours: '5', theirs: '4', fix: null, failureId: null }],
    });
  });
});
