import { eq, sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import type { OrderRef } from '../../src/contracts/ids.ts';
import { orders, stock } from '../../src/db/schema.ts';
import { transaction } from '../../src/db/transaction.ts';
import { stockTotals } from '../support/audit.ts';
import { runActivity, useShop } from '../support/shop.ts';

const shop = await useShop();
const { reserveStock, releaseStock } = shop.activities();

const TWO_ITEMS = [
  { sku: 'TEA-SENCHA', quantity: 1 },
  { sku: 'CUP-PORCELAIN', quantity: 2 },
];

const available = async (sku: string) =>
  (await shop.db.select({ available: stock.available }).from(stock).where(eq(stock.sku, sku)))[0]?.available;

it('takes the items of many orders at once from stock, and gives them back', async () => {
  const totals = await stockTotals(shop.db);
  const before = await available('CUP-PORCELAIN');
  const refs = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      shop.placeOrder({ items: index % 2 === 0 ? TWO_ITEMS : TWO_ITEMS.toReversed() }),
    ),
  );
  await Promise.all(refs.map((ref) => runActivity(reserveStock, ref)));
  expect(await available('CUP-PORCELAIN')).toBe((before ?? 0) - 40);
  await Promise.all(refs.map((ref) => runActivity(releaseStock, ref)));
  expect(await available('CUP-PORCELAIN')).toBe(before);
  expect(await stockTotals(shop.db)).toEqual(totals);
});

it('takes nothing when there is not enough of one item, and names it', async () => {
  const before = await available('TEA-SENCHA');
  const ref = await shop.placeOrder({ items: [...TWO_ITEMS, { sku: 'TEA-GYOKURO-RARE', quantity: 1 }] });
  await expect(runActivity(reserveStock, ref)).rejects.toThrow('Not enough TEA-GYOKURO-RARE in stock.');
  expect(await available('TEA-SENCHA')).toBe(before);
});

it.each([
  ['reserving', reserveStock],
  ['releasing', releaseStock],
])('%s does not hold the stock of other orders while it waits for its own', async (_, activity) => {
  const ref = await shop.placeOrder({ items: TWO_ITEMS });
  if (activity === releaseStock) await runActivity(reserveStock, ref);
  let changing: Promise<unknown> | undefined;
  await transaction(shop.db, async (tx) => {
    await tx.select().from(orders).where(eq(orders.id, ref.orderId)).for('no key update');
    await tx.execute(sql`select from reservations where order_id = ${ref.orderId} for update`);
    changing = runActivity<[OrderRef], unknown>(activity, ref);
    const waiting = async () =>
      (await shop.db.execute(sql`select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`))
        .rows.length;
    await expect.poll(waiting, { interval: 20 }).toBe(1);
    const free = await tx.select({ sku: stock.sku }).from(stock).for('no key update', { skipLocked: true });
    expect(free.length).toBe(await shop.db.$count(stock));
  });
  await changing;
});
