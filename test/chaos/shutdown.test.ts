import { setTimeout as sleep } from 'node:timers/promises';
import { and, eq, gt, inArray } from 'drizzle-orm';
import { afterAll, describe, expect, it } from 'vitest';
import { invoices, orders, sagaSteps } from '../../src/db/schema.ts';
import { insertApiKey } from '../../src/records/api-keys.ts';
import { freePort } from '../../src/sandbox/ports.ts';
import { call, newOrder } from '../api/support/api.ts';
import { expectSound, stockTotals } from '../support/audit.ts';
import { useNamespace } from '../support/namespace.ts';
import { startApiProcess, startWorker, type ServiceProcess } from '../support/service-process.ts';
import { useShop } from '../support/shop.ts';

const temporal = await useNamespace();
const shop = await useShop();
const running = new Set<ServiceProcess>();
afterAll(() => Promise.all(Array.from(running, (process) => process.kill())));

const environment = { ...shop.environment, ...temporal.environment };

/** Ends the process, whatever becomes of the test. */
async function started(starting: Promise<ServiceProcess>): Promise<ServiceProcess> {
  const process = await starting;
  running.add(process);
  return process;
}

async function statuses(ids: readonly string[]): Promise<Set<string>> {
  const rows = await shop.db.select({ id: orders.id, status: orders.status }).from(orders);
  return new Set(rows.filter(({ id }) => ids.includes(id)).map(({ status }) => status));
}

const PATIENTLY = { timeout: 90_000, interval: 50 };

/** Waits until all orders are in the warehouse and invoiced. */
async function untilHandedOver(ids: readonly string[]): Promise<void> {
  await expect.poll(() => statuses(ids), PATIENTLY).toEqual(new Set(['fulfilling']));
  await expect.poll(() => shop.db.$count(invoices, inArray(invoices.orderId, [...ids])), PATIENTLY).toBe(ids.length);
}

describe('a worker that is asked to stop while it is busy', () => {
  it('finishes its activities, and exits with 0', { timeout: 150_000 }, async () => {
    const stockBefore = await stockTotals(shop.db);
    const first = await started(startWorker(environment));
    shop.payments.faults.set({ mode: 'slow', delayMs: 500, operation: 'POST /v1/payment_intents/:id/confirm' });
    const ids = await Promise.all(Array.from({ length: 20 }, async () => (await shop.placeOrder()).orderId));
    await expect.poll(() => shop.payments.faults.heldUp, PATIENTLY).toBeGreaterThan(0);
    expect(await first.stop()).toBe(0);

    shop.heal();
    await started(startWorker(environment));
    await untilHandedOver(ids);
    for (const id of ids) await expectSound(shop, id);
    expect(await stockTotals(shop.db)).toEqual(stockBefore);
    const repeated = and(inArray(sagaSteps.orderId, ids), eq(sagaSteps.step, 'charge'), gt(sagaSteps.attempts, 1));
    expect(await shop.db.$count(sagaSteps, repeated)).toBe(0);
  });
});

describe('an API that is asked to stop while requests arrive', () => {
  it('answers what it has accepted, and exits with 0', { timeout: 90_000 }, async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const { key } = await insertApiKey(shop.db, { name: 'web shop', role: 'customer' });
    const start = () =>
      started(startApiProcess({ ...environment, API_PORT: String(port), WAREHOUSE_WEBHOOK_SECRET: 'whsec_dGVzdA==' }));
    const api = await start();
    const answers: number[] = [];
    const accepted: string[] = [];
    let unanswered = 0;
    const placing = new AbortController();

    /** Repeats a request with its key until it is answered, as a client should. */
    async function placeOrder(idempotencyKey: string): Promise<void> {
      for (;;) {
        try {
          const { status, headers } = await call({ url }, 'POST', '/v1/orders', {
            key,
            body: newOrder(),
            headers: { 'Idempotency-Key': idempotencyKey },
          });
          answers.push(status);
          accepted.push(headers.get('Location') ?? '');
          return;
        } catch {
          unanswered += 1;
          await sleep(50);
        }
      }
    }
    const clients = Array.from({ length: 10 }, async (_, client) => {
      for (let index = 0; !placing.signal.aborted; index += 1) await placeOrder(`shutdown-${client}-${index}`);
    });

    const before = await shop.db.$count(orders);
    await expect.poll(() => answers.length, PATIENTLY).toBeGreaterThan(50);
    expect(await api.stop()).toBe(0);
    await expect.poll(() => unanswered, PATIENTLY).toBeGreaterThan(0);
    await start();
    const answered = answers.length;
    await expect.poll(() => answers.length, PATIENTLY).toBeGreaterThan(answered);
    placing.abort();
    await Promise.all(clients);

    expect(new Set(answers)).toEqual(new Set([202]));
    expect(new Set(accepted).size).toBe(answers.length);
    expect(await shop.db.$count(orders)).toBe(before + answers.length);
  });
});
