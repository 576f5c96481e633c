import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { failureEvents, orders } from '../../src/db/schema.ts';
import { call, newOrder } from '../api/support/api.ts';
import { createNamespace, type TestNamespace } from '../support/namespace.ts';
import { startStack, type Stack } from '../support/stack.ts';

const ORDERS = 200;
const AMOUNT = 3680;
/** In ms: on two cores, two hundred orders take a while. */
const PATIENTLY = { timeout: 150_000, interval: 250 };

const planSchema = z.object({ matching: z.int(), accepted: z.int(), sums: z.array(z.unknown()) });
const bulkActionSchema = z.object({
  state: z.string(),
  progress: z.object({ requested: z.int(), succeeded: z.int(), skipped: z.int(), total: z.int() }),
});

let temporal: TestNamespace;
let stack: Stack;
let key: string;
beforeAll(async () => {
  temporal = await createNamespace();
  stack = await startStack(temporal.environment);
  ({ key } = stack.keys.operator);
});
afterAll(async () => {
  await stack.close();
  await temporal.close();
});

async function countOrders(status: string): Promise<number> {
  return (await stack.db.select({ status: orders.status }).from(orders)).filter((row) => row.status === status).length;
}
const allOrders = (status: string) => vi.waitFor(async () => expect(await countOrders(status)).toBe(ORDERS), PATIENTLY);

async function placeOrders(): Promise<void> {
  await Promise.all(
    Array.from({ length: ORDERS }, async (_, index) => {
      const headers = { 'Idempotency-Key': `night-${index}` };
      expect((await call(stack, 'POST', '/v1/orders', { key, body: newOrder(), headers })).status).toBe(202);
    }),
  );
}

describe('a night with the warehouse down', () => {
  it('parks every order, alerts a few times, and is resolved by one bulk action, even if its worker is killed halfway', { timeout: 400_000 }, async () => {
    stack.shop.warehouse.faults.set({ mode: 'error_before' });
    await placeOrders();
    await allOrders('needs_attention');

    const alerts = () => stack.shop.inbox.messages({ to: 'oncall@holdfast.example' });
    await vi.waitFor(() => expect(alerts()).not.toHaveLength(0), PATIENTLY);
    expect(alerts().length).toBeLessThanOrEqual(3);

    stack.shop.warehouse.faults.clear();
    const body = { action: 'retry', filter: { step: 'ship' }, reason: 'the warehouse is back', ratePerSecond: 20 };
    const plan = await call(stack, 'POST', '/v1/ops/bulk-actions', { key, body: { ...body, dryRun: true } });
    expect(planSchema.parse(plan.body)).toMatchObject({
      matching: ORDERS,
      accepted: ORDERS,
      sums: [{ currency: 'EUR', amount: ORDERS * AMOUNT }],
    });

    const created = await call(stack, 'POST', '/v1/ops/bulk-actions', { key, body });
    expect(created.status).toBe(202);
    const location = created.headers.get('Location') ?? '';
    const bulkAction = async () => bulkActionSchema.parse((await call(stack, 'GET', location, { key })).body);
    await vi.waitFor(async () => expect((await bulkAction()).progress.requested).toBeGreaterThan(ORDERS / 4), PATIENTLY);
    await stack.killWorker();
    expect((await bulkAction()).progress.requested).toBeLessThan(ORDERS);
    await stack.restartWorker();

    await allOrders('completed');
    // Its run looks once more before it ends.
    await expect.poll(bulkAction, PATIENTLY).toMatchObject({
      state: 'completed',
      progress: { total: ORDERS, requested: ORDERS, skipped: 0, succeeded: ORDERS },
    });
    const paid = stack.shop.payments.ledger().filter(({ type }) => type === 'payment_intent.succeeded');
    expect(paid).toHaveLength(ORDERS);
    const sent = stack.shop.warehouse.ledger().filter(({ type }) => type === 'shipment.accepted');
    expect(sent).toHaveLength(ORDERS);
    const events = await stack.db.select({ type: failureEvents.type }).from(failureEvents);
    for (const wanted of ['opened', 'retry_requested', 'resolved'] as const) {
      expect(events.filter(({ type }) => type === wanted)).toHaveLength(ORDERS);
    }
    await stack.expectBooksBalanced();
  });
});
