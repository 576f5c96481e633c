import { describe, expect, it } from 'vitest';
import { commands, idempotencyKeys, orderEvents, orderItems, orders } from '../../src/db/schema.ts';
import { acceptOrder, cancelOrder } from '../../src/intake/orders.ts';
import { createCaller } from '../support/caller.ts';
import { useDatabase } from '../support/database.ts';
import { outcomes, useOtherProcess } from './together.ts';

const db = await useDatabase();
const caller = await createCaller(db, 'customer');

const order = (sku = 'TEA-SENCHA') => ({
  customer: { email: 'ada@example.com', name: 'Ada' },
  shippingAddress: { line1: 'a', city: 'b', postalCode: 'c', country: 'GB' },
  items: [{ sku, quantity: 2 }],
  payment: { method: 'pm_card_visa' },
});
const counts = () =>
  Promise.all([orders, orderItems, orderEvents, commands, idempotencyKeys].map((table) => db.$count(table)));

const accept = (idempotencyKey: string, changes: { requestHash?: string; sku?: string } = {}) =>
  acceptOrder(db, caller, { idempotencyKey, requestHash: changes.requestHash ?? 'h', order: order(changes.sku) });

describe('accepting an order', () => {
  it('writes the order, its items, its first status, its command and its key, or none of them', async () => {
    const before = await counts();
    await expect(accept('k1', { sku: 'NOTHING' })).rejects.toMatchObject({
      type: 'unknown_product',
      pointer: '/items/0/sku',
    });
    expect(await counts()).toEqual(before);

    const { made, location, repeated } = await accept('k1');
    expect(made).toMatchObject({ status: 'accepted', amount: 2500, currency: 'EUR' });
    expect({ location, repeated }).toEqual({ location: `/v1/orders/${made.id}`, repeated: false });
    expect(await counts()).toEqual(before.map((count) => count + 1));
  });

  it('returns the same order when the request is repeated', async () => {
    const first = await accept('k2');
    expect(await accept('k2')).toEqual({ ...first, repeated: true });
  });

  it('refuses another request with the same key', async () => {
    await accept('k3');
    await expect(accept('k3', { requestHash: 'other' })).rejects.toMatchObject({ type: 'idempotency_key_reused' });
  });

  it('assigns ids that sort by time of creation', async () => {
    const ids: string[] = [];
    for (const key of ['t1', 't2', 't3']) ids.push((await accept(key)).made.id);
    expect(ids.toSorted()).toEqual(ids);
  });
});

describe('accepting orders that come together', () => {
  it('refuses those that are wrong, and accepts the others', async () => {
    const before = await counts();
    // The API refuses this name, because Postgres cannot store it.
    const unstorable = { ...order(), customer: { email: 'ada@example.com', name: '\0' } };
    const [first, unknown, bad, last, ...sameKey] = await outcomes([
      accept('g1'),
      accept('g2', { sku: 'NOTHING' }),
      acceptOrder(db, caller, { idempotencyKey: 'g3', requestHash: 'h', order: unstorable }),
      accept('g4'),
      accept('g5'),
      accept('g5', { requestHash: 'other' }),
    ]);
    expect([first, unknown, bad, last]).toEqual(['accepted', 'unknown_product', '22P05', 'accepted']);
    expect(sameKey.toSorted()).toEqual(['accepted', 'idempotency_key_reused']);
    expect(await counts()).toEqual(before.map((count) => count + 3));
  });

  it('accepts each once if two processes get the same requests in another order', async () => {
    const other = useOtherProcess(db);
    const before = await counts();
    const keys = Array.from({ length: 40 }, (_, index) => `both-${index}`);
    const accepted = await Promise.all([
      ...keys.map((key) => accept(key)),
      ...keys.toReversed().map((idempotencyKey) => acceptOrder(other, caller, { idempotencyKey, requestHash: 'h', order: order() })),
    ]);
    expect(await counts()).toEqual(before.map((count) => count + 40));
    expect(new Set(accepted.map(({ location }) => location)).size).toBe(40);
    expect(accepted.filter(({ repeated }) => repeated)).toHaveLength(40);
  });
});

describe('cancelling an order', () => {
  it('writes one command for ten requests at once', async () => {
    const { made } = await accept('c1');
    const before = await db.$count(commands);
    await Promise.all(Array.from({ length: 10 }, () => cancelOrder(db, caller, made.id, 'enough')));
    expect(await db.$count(commands)).toBe(before + 1);
  });
});
