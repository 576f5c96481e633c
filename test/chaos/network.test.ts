import { setTimeout as sleep } from 'node:timers/promises';
import { and, count, eq, inArray, notInArray } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { LIVE_FAILURE_STATUSES } from '../../src/contracts/statuses.ts';
import { orderWorkflowId } from '../../src/contracts/ids.ts';
import { emails, failures, orders } from '../../src/db/schema.ts';
import { retryFailure } from '../../src/operate/failures.ts';
import { insertApiKey } from '../../src/records/api-keys.ts';
import { freePort } from '../../src/sandbox/ports.ts';
import { call, newOrder, WEBHOOK_SECRET } from '../api/support/api.ts';
import { expectSound, invoiceNumbers, stockTotals } from '../support/audit.ts';
import { expectBooksBalanced } from '../support/books.ts';
import { checkHistories } from '../support/histories.ts';
import { createNamespace, type TestNamespace } from '../support/namespace.ts';
import { NETWORK_FAULTS, startProxy, type Proxy } from '../support/proxy.ts';
import { startApiProcess, startWorker, type ServiceProcess } from '../support/service-process.ts';
import { createShop, STRIPE_WEBHOOK_SECRET, type Shop } from '../support/shop.ts';

// The network between two processes fails while orders are placed, then heals. Every pair of processes and every fault
// has its turn; what is still retrying then lives through the turns that follow. In the end every order has to be
// complete, with one effect of each step. The nightly run places 20 orders in each turn: NETWORK_ORDERS=20.

const ORDERS = Number(process.env['NETWORK_ORDERS'] ?? 4);
/** ms */
const TURN = 1_500;
const LIMIT = 180_000 + ORDERS * 10_000;

const PAIRS = [
  'API and Postgres',
  'worker and Postgres',
  'API and Temporal',
  'worker and Temporal',
  'worker and payments',
  'worker and warehouse',
  'worker and mail server',
  'warehouse and API',
  'payments and API',
] as const;
type Pair = (typeof PAIRS)[number];

// The faults of one pair are far apart, so that what was retried meanwhile can succeed.
const turns = NETWORK_FAULTS.flatMap((fault) => PAIRS.map((pair) => ({ pair, fault })));
type Turn = (typeof turns)[number];

const nameOf = ({ pair, fault }: Turn): string => `${fault} between ${pair}`;

/** The ids of the orders of each turn. */
const placed = new Map<string, string[]>();
const cleanUp: (() => Promise<unknown>)[] = [];
let temporal: TestNamespace;
let shop: Shop;
let stockAtStart: Record<string, number>;

beforeAll(async () => {
  const ends = await Promise.all(PAIRS.map(async (pair): Promise<[Pair, Proxy]> => [pair, await startProxy()]));
  const proxies = new Map(ends);
  const between = (pair: Pair): Proxy => {
    const proxy = proxies.get(pair);
    if (!proxy) throw new Error(`No proxy between ${pair}.`);
    return proxy;
  };
  temporal = await createNamespace();
  const webhooksOf = (pair: Pair, path: string) => `http://${between(pair).address}/v1/webhooks/${path}`;
  shop = await createShop({
    webhook: { url: webhooksOf('warehouse and API', 'warehouse'), secret: WEBHOOK_SECRET },
    paymentWebhook: { url: webhooksOf('payments and API', 'stripe'), secret: STRIPE_WEBHOOK_SECRET },
    shipAfterMs: 100,
    deliverAfterMs: 100,
  });
  stockAtStart = await stockTotals(shop.db);
  const { environment } = shop;
  const port = await freePort();
  const api = { url: `http://127.0.0.1:${port}` };
  for (const pair of ['warehouse and API', 'payments and API'] as const) between(pair).leadTo(api.url);
  const temporalThrough = (pair: Pair) => {
    between(pair).leadTo(`http://${temporal.address}`);
    return { TEMPORAL_ADDRESS: between(pair).address, TEMPORAL_NAMESPACE: temporal.namespace };
  };
  const processes: ServiceProcess[] = await Promise.all([
    startApiProcess({
      ...environment,
      ...temporalThrough('API and Temporal'),
      API_PORT: String(port),
      WAREHOUSE_WEBHOOK_SECRET: WEBHOOK_SECRET,
      STRIPE_WEBHOOK_SECRET,
      DATABASE_URL: between('API and Postgres').through(environment.DATABASE_URL),
    }),
    startWorker({
      ...environment,
      ...temporalThrough('worker and Temporal'),
      DATABASE_URL: between('worker and Postgres').through(environment.DATABASE_URL),
      STRIPE_API_BASE: between('worker and payments').through(environment.STRIPE_API_BASE),
      WAREHOUSE_URL: between('worker and warehouse').through(environment.WAREHOUSE_URL),
      SMTP_URL: between('worker and mail server').through(environment.SMTP_URL),
      PAYMENT_TIMEOUT: '1s',
      WAREHOUSE_TIMEOUT: '1s',
      MAIL_TIMEOUT: '1s',
    }),
  ]);
  cleanUp.push(
    () => Promise.all(processes.map((running) => running.kill())),
    () => Promise.all(Array.from(proxies.values(), (proxy) => proxy.close())),
    () => shop.close(),
    () => temporal.close(),
  );

  const { key } = await insertApiKey(shop.db, { name: 'web shop', role: 'customer' });
  const placeOrders = (turn: Turn) =>
    Promise.all(
      Array.from({ length: ORDERS }, (_, index) => placeOrder(api, key, `${nameOf(turn)} ${index}`.replaceAll(' ', '-'))),
    );
  await Promise.all(
    turns.map(async (turn, index) => {
      await sleep(index * TURN);
      between(turn.pair).set(turn.fault);
      setTimeout(() => between(turn.pair).heal(), TURN);
      placed.set(nameOf(turn), await placeOrders(turn));
    }),
  );
  await untilAllAreComplete();
}, LIMIT);

afterAll(async () => {
  for (const end of cleanUp) await end();
});

/** Repeats a request with its key, as a careful client does, until it is accepted. @returns the id of the order */
async function placeOrder(api: { url: string }, key: string, idempotencyKey: string): Promise<string> {
  for (let tries = 0; tries < 100; tries += 1) {
    const headers = { 'Idempotency-Key': idempotencyKey };
    const answer = await call(api, 'POST', '/v1/orders', { key, body: newOrder(), headers }).catch(() => undefined);
    if (answer && answer.status < 500) {
      expect(answer).toMatchObject({ status: 202 });
      return z.object({ id: z.string() }).parse(answer.body).id;
    }
    await sleep(300);
  }
  throw new Error(`The order "${idempotencyKey}" was never accepted.`);
}

/** Waits for every order. An operator retries those that have parked. */
async function untilAllAreComplete(): Promise<void> {
  await vi.waitFor(
    async () => {
      const parked = await shop.db
        .select({ id: failures.id })
        .from(failures)
        .where(and(eq(failures.kind, 'step'), eq(failures.status, 'open')));
      for (const { id } of parked) await retryFailure.perform(shop, id, { reason: 'the network is back' }, 'key:operator');
      const found = await shop.db.select({ status: orders.status, orders: count() }).from(orders).groupBy(orders.status);
      expect(found).toEqual([{ status: 'completed', orders: turns.length * ORDERS }]);
    },
    { timeout: LIMIT, interval: 500 },
  );
}

describe('orders that were placed while the network failed', () => {
  it.each(turns)('are complete and sound: $fault between $pair', async (turn) => {
    const ids = placed.get(nameOf(turn)) ?? [];
    expect(new Set(ids).size).toBe(ORDERS);
    for (const id of ids) await expectSound(shop, id);
  });
});

describe('all these orders together', () => {
  it('leave no failure open but those of emails', async () => {
    const open = await shop.db
      .select({ kind: failures.kind, step: failures.step, message: failures.errorMessage })
      .from(failures)
      .where(and(inArray(failures.status, LIVE_FAILURE_STATUSES), notInArray(failures.kind, ['email'])));
    expect(open).toEqual([]);
  });

  it('change neither the stock nor the sequence of invoice numbers', async () => {
    expect(await stockTotals(shop.db)).toEqual(stockAtStart);
    const numbers = await invoiceNumbers(shop.db);
    expect(numbers).toEqual(Array.from({ length: turns.length * ORDERS }, (_, index) => index + 1));
  });

  it('leave no difference between Postgres, Temporal, the payment provider and the warehouse', { timeout: 90_000 }, async () => {
    await expectBooksBalanced(shop, temporal.client);
  });

  it('send no email as two different messages', async () => {
    const sent = await shop.db.select({ recipient: emails.recipient, subject: emails.subject }).from(emails);
    const lines = sent.map(({ recipient, subject }) => `${recipient}: ${subject}`);
    const arrived = shop.inbox.messages({ to: 'ada@example.com' }).map(({ subject }) => `ada@example.com: ${subject}`);
    expect(arrived.filter((line, index) => arrived.indexOf(line) < index)).toEqual([]);
    expect(lines.filter((line) => line.startsWith('ada@') && !arrived.includes(line))).toEqual([]);
  });

  it('have histories that replay', { timeout: 120_000 }, async () => {
    const runs = [...placed.values()].flat().map(async (id) => {
      const workflowId = orderWorkflowId(id);
      return { workflowId, history: await temporal.client.workflow.getHandle(workflowId).fetchHistory(), path: undefined };
    });
    await expect(Promise.all(runs).then(checkHistories)).resolves.toBeUndefined();
  });
});
