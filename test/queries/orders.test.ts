import { expect, it } from 'vitest';
import { orderEvents } from '../../src/db/schema.ts';
import { countOrders, searchOrders } from '../../src/queries/orders.ts';
import { useShop } from '../support/shop.ts';

const shop = await useShop();

/** @returns the ids of new orders, newest first */
async function placeOrders(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let placed = 0; placed < count; placed += 1) ids.unshift((await shop.placeOrder()).orderId);
  return ids;
}

it('finds each order that has ever had a status once, newest first, page by page', async () => {
  const [newest = '', middle = '', oldest = ''] = await placeOrders(4);
  const restarted = [1, 2].map((generation) => ({ orderId: middle, generation, status: 'failed' as const }));
  const others = [newest, oldest].map((orderId) => ({ orderId, generation: 1, status: 'failed' as const }));
  await shop.db.insert(orderEvents).values([...restarted, ...others]);
  const idsOf = async (page: { limit: number; cursor?: string }) =>
    (await searchOrders(shop.db, { reached: 'failed' }, page)).map(({ id }) => id);
  expect(await idsOf({ limit: 1 })).toEqual([newest, middle]);
  expect(await idsOf({ limit: 1, cursor: newest })).toEqual([middle, oldest]);
  expect(await idsOf({ limit: 1, cursor: middle })).toEqual([oldest]);
  expect(await countOrders(shop.db, { reached: 'failed' })).toBe(3);
});

it('counts no more orders than are asked for, and one more if there are more', async () => {
  await placeOrders(4);
  expect(await countOrders(shop.db, {}, 3)).toBe(4);
  expect(await countOrders(shop.db, { reached: 'accepted' }, 3)).toBe(4);
});
