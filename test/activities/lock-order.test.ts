import { eq, sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import type { OrderRef } from '../../src/contracts/ids.ts';
import { failures, orders } from '../../src/db/schema.ts';
import { transaction } from '../../src/db/transaction.ts';
import { cancelFailure, retryFailure } from '../../src/operate/failures.ts';
import { openFailureOf } from '../support/failures.ts';
import { runActivity, useShop } from '../support/shop.ts';

const shop = await useShop();

const parked = { errorType: 'warehouse_unavailable', errorMessage: 'down' };
const address = { line1: 'Baker Street 221b', city: 'London', postalCode: 'NW1 6XE', country: 'GB' };
const parcel = { generation: 1, type: 'shipped', carrier: 'Parcel Post', trackingNumber: 'PP1' } as const;

/** Everything that touches both an order and a failure of it that is open. */
const changes: [string, (ref: OrderRef, failureId: string) => Promise<unknown>][] = [
  ['a step that is committed late', (ref) => runActivity(shop.activities().requestShipment, ref)],
  ['parking the order again', (ref) => runActivity(shop.activities().parkOrder, ref, 'ship', parked)],
  ['recording that the parcel has left', (ref) => runActivity(shop.activities().recordShipped, ref, parcel)],
  [
    'ending the order',
    (ref) => runActivity(shop.activities().endOrder, ref, { status: 'cancelled', type: 'order_cancelled', message: 'too late' }),
  ],
  ['giving the order up', (_, failureId) => cancelFailure.perform({ db: shop.db }, failureId, { reason: 'too late' }, 'test')],
  [
    'a retry with a corrected address',
    (_, failureId) =>
      retryFailure.perform({ db: shop.db }, failureId, { reason: 'moved', shippingAddress: address }, 'test'),
  ],
];

const waiting = async () => {
  const { rows } = await shop.db.execute(
    sql`select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return rows.length;
};

it.each(changes)('%s locks the order before its failure, so that no two of these can deadlock', async (_, change) => {
  const ref = await shop.placeOrder();
  const { failureId } = await openFailureOf(shop.db, ref);
  await openFailureOf(shop.db, ref, { kind: 'late_shipment', errorType: 'late_shipment' });
  let changing: Promise<unknown> | undefined;
  await transaction(shop.db, async (tx) => {
    // Not `for update`: a foreign key would already wait for that.
    await tx.select().from(orders).where(eq(orders.id, ref.orderId)).for('no key update');
    changing = change(ref, failureId);
    await expect.poll(waiting, { interval: 20 }).toBe(1);
    const free = await tx
      .select({ id: failures.id })
      .from(failures)
      .where(eq(failures.orderId, ref.orderId))
      .for('update', { skipLocked: true });
    expect(free).toHaveLength(2);
  });
  await changing;
});
