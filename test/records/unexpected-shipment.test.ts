import { eq } from 'drizzle-orm';
import { beforeEach, describe, expect, it } from 'vitest';
import { orderWorkflowId } from '../../src/contracts/ids.ts';
import type { OrderStatus } from '../../src/contracts/statuses.ts';
import { commands, failureEvents, failures, orders } from '../../src/db/schema.ts';
import { restartOrder } from '../../src/operate/orders.ts';
import { settleFailure } from '../../src/operate/failures.ts';
import { runActivity, useShop } from '../support/shop.ts';

const shop = await useShop();
const { db } = shop;
beforeEach(async () => {
  for (const table of [failureEvents, failures, commands]) await db.delete(table);
});

async function orderThatIs(status: OrderStatus): Promise<string> {
  const { orderId } = await shop.placeOrder();
  await db.update(orders).set({ status }).where(eq(orders.id, orderId));
  return orderId;
}

const updatesOf = (orderId: string) => db.$count(commands, eq(commands.workflowId, orderWorkflowId(orderId)));

describe('a parcel that should not be on its way', () => {
  it.each(['compensating', 'cancelled', 'failed'] as const)('is a failure if its order is %s', async (status) => {
    const orderId = await orderThatIs(status);
    const before = await updatesOf(orderId);
    await shop.carrier(orderId, 'shipped');
    await shop.carrier(orderId, 'delivered');
    const [failure, ...others] = await db.select().from(failures);
    expect(failure).toMatchObject({ kind: 'unexpected_shipment', status: 'open', orderId, generation: 1 });
    expect(others).toEqual([]);
    expect(await updatesOf(orderId)).toBe(before);

    await settleFailure.perform(shop, failure?.id ?? '', { reason: 'called back by phone' }, 'key:operator');
    expect(await db.select().from(failures)).toMatchObject([{ status: 'settled' }]);
  });

  it('is a failure if its order was restarted, and gets another parcel', async () => {
    const orderId = await orderThatIs('failed');
    await restartOrder.perform(shop, orderId, { reason: 'a better card' }, 'key:operator');
    await shop.carrier(orderId, 'shipped', { generation: 1 });
    expect(await db.select().from(failures)).toMatchObject([{ kind: 'unexpected_shipment', generation: 1 }]);
    await shop.carrier(orderId, 'shipped', { generation: 2 });
    expect(await db.$count(failures)).toBe(1);
  });

  it('is a failure of its own in each generation', async () => {
    const orderId = await orderThatIs('failed');
    await restartOrder.perform(shop, orderId, { reason: 'a better card' }, 'key:operator');
    await shop.carrier(orderId, 'shipped', { generation: 1 });
    await db.update(orders).set({ status: 'failed' }).where(eq(orders.id, orderId));
    await shop.carrier(orderId, 'shipped', { generation: 2 });
    expect(await db.select().from(failures).orderBy(failures.generation)).toMatchObject([
      { generation: 1, errorMessage: expect.stringContaining('of generation 1') },
      { generation: 2, errorMessage: expect.stringContaining('of generation 2') },
    ]);
  });

  it('is a failure if the message came before the order ended, and stays one', async () => {
    const orderId = await orderThatIs('fulfilling');
    await shop.carrier(orderId, 'shipped');
    expect(await db.$count(failures)).toBe(0);
    const end = { status: 'cancelled', type: 'order_cancelled', message: 'Cancelled.' } as const;
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      await runActivity(shop.activities().endOrder, { orderId, generation: 1 }, end);
      expect(await db.select().from(failures)).toMatchObject([{ kind: 'unexpected_shipment', status: 'open' }]);
    }
  });

  it.each([
    ['delivered', 'completed'],
    ['shipped', 'shipped'],
    ['rejected', 'cancelled'],
  ] as const)('is not one that is %s when its order is %s', async (type, status) => {
    await shop.carrier(await orderThatIs(status), type);
    expect(await db.$count(failures)).toBe(0);
  });
});
