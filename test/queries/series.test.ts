import { expect, it } from 'vitest';
import { failures, orderEvents } from '../../src/db/schema.ts';
import { listFailures } from '../../src/queries/failures.ts';
import { countOrders, searchOrders } from '../../src/queries/orders.ts';
import { endOf, readSeries } from '../../src/queries/series.ts';
import { openFailureOf } from '../support/failures.ts';
import { useShop } from '../support/shop.ts';

const shop = await useShop();

const MINUTE = 60_000;
const ago = (ms: number) => new Date(Date.now() - ms);
const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);

it('counts by the minute over an hour and by the half hour over a day', async () => {
  await openFailureOf(shop.db, await shop.placeOrder());
  for (const age of [0, 20, 5 * 60, 25 * 60]) {
    await shop.db.insert(orderEvents).values({ ...(await shop.placeOrder()), status: 'completed', at: ago(age * MINUTE) });
  }
  const [hour, day] = await Promise.all([readSeries(shop.db, 'hour'), readSeries(shop.db, 'day')]);
  expect([hour.length, day.length]).toEqual([60, 48]);
  expect(sum(hour.map(({ completions }) => completions))).toBe(2);
  expect(sum(day.map(({ completions }) => completions))).toBe(3);
  for (const series of [hour, day]) {
    expect(sum(series.map(({ starts }) => starts))).toBe(5);
    expect(sum(series.map((bucket) => bucket.failures))).toBe(1);
    expect(series.map(({ at }) => at.getTime())).toEqual(series.map(({ at }) => at.getTime()).toSorted((a, b) => a - b));
  }
  const [first, second] = hour;
  expect(second && first && second.at.getTime() - first.at.getTime()).toBe(MINUTE);
  expect((day.at(-1)?.at.getTime() ?? 0) % (30 * MINUTE)).toBe(0);
  expect(await shop.db.$count(failures)).toBe(1);
});

it('counts what the lists show for the same span of time, also an order that was restarted within it', async () => {
  const ref = await shop.placeOrder();
  await shop.db.insert(orderEvents).values({ ...ref, generation: 2, status: 'accepted' });
  const series = await readSeries(shop.db, 'day');
  for (const { at, starts, completions, failures: opened } of series) {
    const window = { from: at.toISOString(), to: endOf('day', at).toISOString() };
    expect(await searchOrders(shop.db, { reached: 'accepted', ...window }, { limit: 50 })).toHaveLength(starts);
    expect(await countOrders(shop.db, { reached: 'completed', ...window })).toBe(completions);
    expect(await listFailures(shop.db, window, { limit: 50 })).toHaveLength(opened);
  }
  expect(sum(series.map(({ starts }) => starts))).toBe(6);
});

it('finds orders by when they were accepted, and by a status that they have had', async () => {
  const later = { from: new Date(Date.now() + MINUTE).toISOString() };
  expect(await countOrders(shop.db, { to: later.from })).toBe(6);
  expect(await countOrders(shop.db, later)).toBe(0);
  expect(await countOrders(shop.db, { reached: 'completed' })).toBe(4);
});
