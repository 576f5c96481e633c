import { v7 as uuid } from 'uuid';
import { orderEvents, orderItems, orders, payments } from '../../../src/db/schema.ts';
import type { Shop } from '../../support/shop.ts';

const HOUR = 3_600_000;

/** Ten days of orders for the charts and reports, more by day than by night. */
export async function fillPast({ db, caller }: Shop): Promise<void> {
  const now = Date.now();
  const times = Array.from({ length: 10 * 24 * 4 }, (_, index) => new Date(now - (index + 1) * (HOUR / 4))).filter(
    (at, index) => (at.getUTCHours() >= 6 && at.getUTCHours() < 22) || index % 5 === 0,
  );
  const rows = times.map((at, index) => ({ id: uuid({ msecs: at.getTime() }), at, quantity: 1 + (index % 4) }));
  await db.insert(orders).values(
    rows.map(({ id, at, quantity }) => ({
      id,
      owner: caller.keyId,
      status: 'completed' as const,
      amount: quantity * 890,
      currency: 'EUR',
      paymentMethod: 'pm_card_visa',
      customerEmail: 'grace@example.com',
      customerName: 'Grace Hopper',
      line1: '1 Navy Yard',
      city: 'Arlington',
      postalCode: '22202',
      country: 'US',
      createdAt: at,
      updatedAt: new Date(at.getTime() + HOUR / 6),
    })),
  );
  await db.insert(orderItems).values(
    rows.map(({ id, quantity }) => ({ orderId: id, sku: 'TEA-EARL-GREY', name: 'Earl Grey, 100 g', quantity, unitAmount: 890 })),
  );
  await db.insert(orderEvents).values(
    rows.flatMap(({ id, at }) => [
      { orderId: id, generation: 1, status: 'accepted' as const, at },
      { orderId: id, generation: 1, status: 'completed' as const, at: new Date(at.getTime() + HOUR / 6) },
    ]),
  );
  await db.insert(payments).values(
    rows.map(({ id, at, quantity }) => ({
      id: uuid(),
      orderId: id,
      generation: 1,
      state: 'captured' as const,
      amount: quantity * 890,
      captured: quantity * 890,
      currency: 'EUR',
      capturedAt: at,
      createdAt: at,
    })),
  );
}
