import { eq, sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { orderWorkflowId } from '../../src/contracts/ids.ts';
import { commands, orders } from '../../src/db/schema.ts';
import { cancelOrder } from '../../src/intake/orders.ts';
import { cancelFailure, retryFailure } from '../../src/operate/failures.ts';
import { restartOrder } from '../../src/operate/orders.ts';
import { openFailureOf } from '../support/failures.ts';
import { runActivity, useShop } from '../support/shop.ts';

const shop = await useShop();
const { db } = shop;
const OPERATOR = 'key:operator';

const cancel = (orderId: string) => cancelOrder(db, shop.caller, orderId, 'changed my mind');

const isOf = (orderId: string) => eq(commands.workflowId, orderWorkflowId(orderId));

/** Marks the commands of an order that wait to be delivered. */
const mark = (orderId: string, state: 'delivered' | 'set_aside') =>
  db.update(commands).set({ state }).where(sql`${isOf(orderId)} and ${commands.state} = 'pending'`);

const pending = async (orderId: string) => {
  const rows = await db.select().from(commands).where(sql`${isOf(orderId)} and ${commands.state} = 'pending'`);
  return rows.map(({ body }) => body);
};

/** @returns an order that was cancelled, failed and restarted, and whose second cancellation could not be delivered */
async function unheard(): Promise<string> {
  const { orderId } = await shop.placeOrder();
  await cancel(orderId);
  await runActivity(shop.activities().endOrder, { orderId, generation: 1 }, { status: 'failed', type: 'card_declined', message: 'declined' });
  await restartOrder.perform(shop, orderId, { reason: 'the card works now' }, OPERATOR);
  await mark(orderId, 'delivered');
  await cancel(orderId);
  await mark(orderId, 'set_aside');
  return orderId;
}

it('is asked for again, though the run of an earlier generation was told of one', async () => {
  const orderId = await unheard();
  await cancel(orderId);
  const asked = [{ type: 'cancel_order', orderId, message: { actor: `key:${shop.caller.keyId}` } }];
  expect(await pending(orderId)).toEqual(asked);
  await cancel(orderId);
  expect(await pending(orderId)).toEqual(asked);
});

it.each([retryFailure, cancelFailure])('that was not heard does not keep a person from $name', async (action) => {
  const orderId = await unheard();
  await db.update(orders).set({ status: 'needs_attention' }).where(eq(orders.id, orderId));
  const { failureId } = await openFailureOf(db, { orderId, generation: 2 });
  await action.perform(shop, failureId, { reason: 'it is back' }, OPERATOR);
  expect(await pending(orderId)).toHaveLength(1);
  await expect(cancelFailure.perform(shop, failureId, { reason: 'too late' }, OPERATOR)).rejects.toMatchObject({
    type: action === retryFailure ? 'failure_not_open' : 'already_requested',
  });
});
