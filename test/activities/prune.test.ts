import { eq, sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { alertMessages, alerts, apiKeySecrets, idempotencyKeys, invoices, operatorSessions, orders, webhookEvents } from '../../src/db/schema.ts';
import { newId } from '../../src/records/new-id.ts';
import { runActivity, useShop } from '../support/shop.ts';

const shop = await useShop();
const { db } = shop;
const prune = () => runActivity(shop.activities().pruneFinishedWork);
const ago = (age: string) => sql`now() - ${age}::interval`;

/** Places an order and makes it old. */
async function orderFrom(age: string, status: (typeof orders.$inferSelect)['status']): Promise<string> {
  const { orderId } = await shop.placeOrder();
  await db.update(orders).set({ status, createdAt: ago(age), updatedAt: ago(age) }).where(eq(orders.id, orderId));
  return orderId;
}

const readOrder = async (id: string) => (await db.select().from(orders).where(eq(orders.id, id)))[0];

describe('pruning', () => {
  it('deletes what is past its time, and nothing else', async () => {
    const event = (eventId: string, age: string) => ({ source: 'warehouse', eventId, type: 'shipped', receivedAt: ago(age) });
    await db.insert(webhookEvents).values([event('old', '31 days'), event('recent', '29 days')]);
    await db.insert(apiKeySecrets).values({ hash: 'secret', keyId: shop.caller.keyId });
    const session = (tokenHash: string, age: string) => ({ tokenHash, secretHash: 'secret', expiresAt: ago(age) });
    await db.insert(operatorSessions).values([session('old', '2 days'), session('recent', '1 hour')]);
    const { orderId } = await shop.placeOrder();
    await db.update(idempotencyKeys).set({ createdAt: ago('31 days') }).where(eq(idempotencyKeys.location, `/v1/orders/${orderId}`));
    await prune();
    expect(await db.select({ id: webhookEvents.eventId }).from(webhookEvents)).toEqual([{ id: 'recent' }]);
    expect(await db.select({ id: operatorSessions.tokenHash }).from(operatorSessions)).toEqual([{ id: 'recent' }]);
    expect(await db.$count(idempotencyKeys)).toBe(0);
    expect(await readOrder(orderId)).toMatchObject({ customerEmail: 'ada@example.com' });
  });

  it('gives up alerts whose channel has not sent them for two days', async () => {
    const id = newId();
    await db.insert(alerts).values({ id, subject: 'commands', since: ago('3 days'), openedAt: ago('3 days') });
    const content = { title: 'down', lines: [], path: '/ops', count: 1, since: new Date().toISOString(), over: 'up' };
    const message = (serial: number, age: string) =>
      ({ alertId: id, serial, channel: 'slack', occasion: 'opened', content, createdAt: ago(age) }) as const;
    await db.insert(alertMessages).values([message(1, '49 hours'), message(2, '47 hours')]);
    await prune();
    const { serial, state } = alertMessages;
    expect(await db.select({ serial, state }).from(alertMessages).orderBy(serial)).toEqual([
      { serial: 1, state: 'given_up' },
      { serial: 2, state: 'pending' },
    ]);
  });

  it('replaces the personal data of failed and cancelled orders after a year', async () => {
    const [failed, recent, completed] = [
      await orderFrom('366 days', 'failed'),
      await orderFrom('364 days', 'cancelled'),
      await orderFrom('366 days', 'completed'),
    ];
    await prune();
    expect(await readOrder(failed)).toMatchObject({ customerEmail: expect.stringMatching(/@erased\.invalid$/), customerName: 'erased' });
    expect(await readOrder(recent)).toMatchObject({ customerEmail: 'ada@example.com' });
    expect(await readOrder(completed)).toMatchObject({ customerEmail: 'ada@example.com' });
  });

  it('replaces the recipients of invoices after ten years', async () => {
    const [old, recent] = [await orderFrom('11 years', 'completed'), await orderFrom('9 years', 'completed')];
    await db.insert(invoices).values([old, recent].map((orderId, index) => ({ number: index + 1, orderId, generation: 1, amount: 1780, currency: 'EUR' })));
    await prune();
    expect(await readOrder(old)).toMatchObject({ customerName: 'erased', line1: 'erased', amount: 1780 });
    expect(await readOrder(recent)).toMatchObject({ customerName: 'Ada Lovelace' });
  });
});
