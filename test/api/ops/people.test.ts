import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orders } from '../../../src/db/schema.ts';
import { call, placeOrder, startTestApi, type TestApi } from '../support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const erase = (key: string) =>
  call(api, 'POST', '/v1/ops/people/erasures', { key, body: { email: 'ada@example.com', reason: 'asked for it' } });

describe('POST /v1/ops/people/erasures', () => {
  it("erases a person's data, and says what it did", async () => {
    const id = await placeOrder(api);
    await api.db.update(orders).set({ status: 'cancelled', updatedAt: sql`now() - interval '1 hour'` }).where(eq(orders.id, id));
    const { status, body } = await erase(api.keys.operator.key);
    expect(status).toBe(200);
    expect(body).toEqual({ id: expect.any(String), orders: 1, invoices: 0, signups: 0, remaining: 0 });
    const { body: order } = await call(api, 'GET', `/v1/orders/${id}`, { key: api.keys.customer.key });
    expect(order).toMatchObject({ customer: { email: `erased-${id}@erased.invalid`, name: 'erased' } });
  });

  it('is for operators only', async () => {
    expect((await erase(api.keys.support.key)).status).toBe(403);
    expect((await erase(api.keys.customer.key)).status).toBe(403);
  });
});
