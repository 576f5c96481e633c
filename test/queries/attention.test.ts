import { afterAll, beforeAll, expect, it } from 'vitest';
import { openFailure } from '../../src/records/failures.ts';
import { orders } from '../../src/db/schema.ts';
import { readAttention } from '../../src/queries/attention.ts';
import { createShop, type Shop } from '../support/shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await createShop();
});
afterAll(() => shop.close());

it('puts what is most urgent first, counts like failures together, and tells of approvals', async () => {
  const open = (kind: 'email' | 'step' | 'compensation', serial: number) =>
    shop.db.transaction((tx) =>
      openFailure(tx, {
        kind,
        workflowId: `order/${serial}`,
        step: 'ship',
        errorType: 'warehouse_unavailable',
        errorMessage: 'no answer',
        attempts: 4,
      }),
    );
  await open('email', 1);
  for (const serial of [2, 3, 4]) await open('step', serial);
  await open('compensation', 5);
  await shop.placeOrder();
  await shop.db.update(orders).set({ status: 'awaiting_approval' });

  const { groups, approvals } = await readAttention(shop.db);
  expect(groups.map(({ kind, count }) => `${kind} ${count}`)).toEqual(['compensation 1', 'step 3', 'email 1']);
  expect(approvals).toEqual({ count: 1, oldest: expect.any(Date) });
});
