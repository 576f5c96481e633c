import { expect, it } from 'vitest';
import { failures, orderEvents } from '../../src/db/schema.ts';
import { readSeries } from '../../src/queries/series.ts';
import { openFailureOf } from '../support/failures.ts';
import { useShop } from '../support/shop.ts';

const shop = await useShop();

const MINUTE = 60_000;
const ago = (ms: number) => new Date(Date.now() - ms);
const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);

it('counts by the minute over an hour and by the half hour over a day', async () => {
  const ref = await shop.placeOrder();
  await openFailureOf(shop.db, await shop.placeOrder());
  await shop.db
    .insert(orderEvents)
    .values([0, 20, 5 * 60, 25 * 60].map((age) => ({ ...ref, status: 'completed' as const, at: ago(age * MINUTE) })));
  const [hour, day] = await Promise.all([readSeries(shop.db, 'hour'), readSeries(shop.db, 'day')]);
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
  expect(await shop.db.$count(failures)).toBe(1);
});
