import { eq } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { orders } from '../../src/db/schema.ts';
import { readAttention } from '../../src/queries/attention.ts';
import { openFailureOf } from '../support/failures.ts';
import { useShop } from '../support/shop.ts';

const shop = await useShop();

it('groups like failures, puts the most urgent first, and counts the approvals', async () => {
  for (const kind of ['email', 'step', 'step', 'step', 'compensation'] as const) {
    await openFailureOf(shop.db, await shop.placeOrder(), { kind });
  }
  const { orderId } = await shop.placeOrder();
  await shop.db.update(orders).set({ status: 'awaiting_approval' }).where(eq(orders.id, orderId));

  const { groups, approvals } = await readAttention(shop.db);
  expect(groups.map(({ kind, count }) => `${kind} ${count}`)).toEqual(['compensation 1', 'step 3', 'email 1']);
  expect(approvals).toEqual({ count: 1, oldest: expect.any(Date) });
});
