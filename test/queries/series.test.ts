import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failures, orderEvents } from '../../src/db/schema.ts';
import { readSeries } from '../../src/queries/series.ts';
import { placeOrder, startTestApi, type TestApi } from '../api/support/api.ts';
import { openOrderFailure } from '../api/support/failures.ts';

const MINUTE = 60_000;
const ago = (ms: number) => new Date(Date.now() - ms);

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);

describe('what happened over time', () => {
  it('is counted by the minute over an hour and by the half hour over a day', async () => {
    const orderId = await placeOrder(api);
    await openOrderFailure(api);
    await api.db.insert(orderEvents).values([
      { orderId, generation: 1, status: 'completed', at: ago(0) },
      { orderId, generation: 1, status: 'completed', at: ago(20 * MINUTE) },
      { orderId, generation: 1, status: 'completed', at: ago(5 * 60 * MINUTE) },
      { orderId, generation: 1, status: 'completed', at: ago(25 * 60 * MINUTE) },
    ]);
    const [hour, day] = await Promise.all([readSeries(api.db, 'hour'), readSeries(api.db, 'day')]);
    expect([hour.length, day.length]).toEqual([60, 48]);
    expect(sum(hour.map(({ completions }) => completions))).toBe(2);
    expect(sum(day.map(({ completions }) => completions))).toBe(3);
    for (const series of [hour, day]) {
      expect(sum(series.map(({ starts }) => starts))).toBe(2);
      expect(sum(series.map((bucket) => bucket.failures))).toBe(1);
      expect(series.map(({ at }) => at.getTime())).toEqual(series.map(({ at }) => at.getTime()).toSorted((a, b) => a - b));
    }
    const [first, second] = hour;
    expect(second && first && second.at.getTime() - first.at.getTime()).toBe(MINUTE);
    expect((day.at(-1)?.at.getTime() ?? 0) % (30 * MINUTE)).toBe(0);
    expect(await api.db.$count(failures)).toBe(1);
  });
});
