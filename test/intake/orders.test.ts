import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectDatabase, type DatabaseHandle } from '../../src/db/client.ts';
import { commands, idempotencyKeys, orderEvents, orderItems, orders } from '../../src/db/schema.ts';
import { seedCatalogue } from '../../src/db/seed.ts';
import type { Caller } from '../../src/contracts/caller.ts';
import { acceptOrder, cancelOrder } from '../../src/intake/orders.ts';
import { insertApiKey } from '../../src/records/api-keys.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let handle: DatabaseHandle;
let caller: Caller;
beforeAll(async () => {
  database = await createTestDatabase();
  handle = connectDatabase(database.url, { max: 10, name: 'test' });
  await seedCatalogue(handle.db);
  const { id } = await insertApiKey(handle.db, { name: 'a customer', role: 'customer' });
  caller = { keyId: id, role: 'customer' };
});
afterAll(async () => {
  await handle.close();
  await database.drop();
});

const order = (sku = 'TEA-SENCHA') => ({
  customer: { email: 'ada@example.com', name: 'Ada' },
  shippingAddress: { line1: 'a', city: 'b', postalCode: 'c', country: 'GB' },
  items: [{ sku, quantity: 2 }],
  payment: { method: 'pm_card_visa' },
});
const counts = () =>
  Promise.all([orders, orderItems, orderEvents, commands, idempotencyKeys].map((table) => handle.db.$count(table)));

const take = async (idempotencyKey: string) =>
  (await acceptOrder(handle.db, caller, { idempotencyKey, requestHash: 'h', order: order() })).made.id;

describe('taking an order', () => {
  it('writes the order, its items, its first status, its command and its key, all or nothing', async () => {
    const before = await counts();
    const request = { idempotencyKey: 'k1', requestHash: 'h1' };
    await expect(acceptOrder(handle.db, caller, { ...request, order: order('NOTHING') })).rejects.toMatchObject({
      type: 'unknown_product',
      pointer: '/items/0/sku',
    });
    expect(await counts()).toEqual(before);

    const { made, location, repeated } = await acceptOrder(handle.db, caller, { ...request, order: order() });
    expect(made).toMatchObject({ status: 'accepted', amount: 2500, currency: 'EUR' });
    expect({ location, repeated }).toEqual({ location: `/v1/orders/${made.id}`, repeated: false });
    expect(await counts()).toEqual(before.map((count) => count + 1));
  });

  it('returns what it made when it is asked again', async () => {
    const request = { idempotencyKey: 'k2', requestHash: 'h2', order: order() };
    const first = await acceptOrder(handle.db, caller, request);
    expect(await acceptOrder(handle.db, caller, request)).toEqual({ ...first, repeated: true });
  });

  it('refuses another request under the same key', async () => {
    const request = { idempotencyKey: 'k3', requestHash: 'h3', order: order() };
    await acceptOrder(handle.db, caller, request);
    await expect(acceptOrder(handle.db, caller, { ...request, requestHash: 'other' })).rejects.toMatchObject({
      type: 'idempotency_key_reused',
    });
  });

  it('gives ids in the order of their making', async () => {
    const ids = [await take('t1'), await take('t2'), await take('t3')];
    expect(ids.toSorted()).toEqual(ids);
  });
});

describe('cancelling an order', () => {
  it('writes one command for ten requests at once', async () => {
    const { made } = await acceptOrder(handle.db, caller, { idempotencyKey: 'c1', requestHash: 'h', order: order() });
    const before = await handle.db.$count(commands);
    await Promise.all(Array.from({ length: 10 }, () => cancelOrder(handle.db, caller, made.id, 'enough')));
    expect(await handle.db.$count(commands)).toBe(before + 1);
  });
});
