// `npx tsx bench/outage.ts [orders] [rate]`, against a running `npm start`: parks that many orders, retries them in bulk,
// and measures how long new orders take meanwhile.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { loadSecrets } from '../src/sandbox/secrets.ts';
import { readSettings } from '../src/sandbox/settings.ts';

const orders = Number(process.argv[2] ?? 3_000);
const ratePerSecond = Number(process.argv[3] ?? 50);
const settings = readSettings(process.env);
const { operatorKey } = await loadSecrets(settings.home);
const api = `http://127.0.0.1:${settings.ports.api}`;
const faults = `http://127.0.0.1:${settings.ports.warehouse}/_sandbox/faults`;

const ORDER = {
  customer: { email: 'bench@example.com', name: 'Bench' },
  shippingAddress: { line1: '1 Bench Road', city: 'London', postalCode: 'W1U 4EG', country: 'GB' },
  items: [{ sku: 'TEA-EARL-GREY', quantity: 1 }],
  payment: { method: 'pm_card_visa' },
};
const countsSchema = z.object({ data: z.array(z.object({ count: z.number() })) });
const bulkActionSchema = z.object({
  state: z.string(),
  progress: z.object({ total: z.number(), pending: z.number(), succeeded: z.number(), failedAgain: z.number() }),
});

async function call(method: string, path: string, body?: object): Promise<Response> {
  return await fetch(`${api}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${operatorKey}`,
      ...(body ? { 'content-type': 'application/json', 'idempotency-key': randomUUID() } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
}

/** @returns how many ms the API took to accept an order */
async function placeOrder(): Promise<number> {
  const started = performance.now();
  const response = await call('POST', '/v1/orders', ORDER);
  await response.arrayBuffer();
  if (response.status !== 202) throw new Error(`The API answered an order with ${response.status}.`);
  return performance.now() - started;
}

async function parked(): Promise<number> {
  const { data } = countsSchema.parse(
    await (await call('GET', '/v1/ops/failures/counts?status=open&kind=step&step=ship')).json(),
  );
  return data.reduce((sum, { count }) => sum + count, 0);
}

function print(name: string, times: number[]): void {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => `${(sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(0)} ms`;
  console.log(`${name}: ${times.length} orders accepted, p50 ${at(0.5)}, p95 ${at(0.95)}, slowest ${at(1)}`);
}

/** Places an order every 100 ms until it is stopped. */
async function measureIntake(signal: AbortSignal): Promise<number[]> {
  const times: number[] = [];
  while (!signal.aborted) {
    times.push(await placeOrder());
    await sleep(100);
  }
  return times;
}

/** Measures the intake during some work. */
async function during<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const done = new AbortController();
  const measuring = measureIntake(done.signal);
  const result = await work();
  done.abort();
  print(name, await measuring);
  return result;
}

await during('Intake without an outage', () => sleep(5_000));

await fetch(faults, {
  method: 'PUT',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ mode: 'error_before' }),
});
const before = await parked();
const filled = performance.now();
for (let placed = 0; placed < orders; placed += 20) {
  await Promise.all(Array.from({ length: Math.min(20, orders - placed) }, placeOrder));
}
console.log(`${orders} orders accepted in ${((performance.now() - filled) / 1000).toFixed(1)} s, 20 at a time`);
while ((await parked()) < before + orders) await sleep(1_000);
console.log(`${orders} orders parked after ${((performance.now() - filled) / 1000).toFixed(1)} s`);
await fetch(faults, { method: 'DELETE' });

const started = performance.now();
const request = { action: 'retry', filter: { step: 'ship' }, reason: 'bench', ratePerSecond };
const location = (await call('POST', '/v1/ops/bulk-actions', request)).headers.get('location') ?? '';
const last = await during(`Intake while ${ratePerSecond} orders a second are retried`, async () => {
  for (;;) {
    const bulkAction = bulkActionSchema.parse(await (await call('GET', location)).json());
    const { total, pending, succeeded, failedAgain } = bulkAction.progress;
    if (pending === 0 && succeeded + failedAgain === total) return bulkAction.progress;
    await sleep(1_000);
  }
});
const took = ((performance.now() - started) / 1000).toFixed(1);
console.log(`${last.total} retried in ${took} s: ${last.succeeded} succeeded, ${last.failedAgain} failed again`);
