import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { countCompleted, untilZero } from '../harness/drain.ts';
import { percentile, startLoadGenerator, type LoadGenerator } from '../harness/load.ts';
import { defineMeasure, positive } from '../harness/measure.ts';
import { rounded } from '../harness/report.ts';
import type { Side } from '../harness/side.ts';
import { startProduct } from '../harness/sides.ts';

/** Orders per second that are measured meanwhile. Few, because each takes the capacity of one that is retried. */
const RATE = 2;

export const bulk = defineMeasure({
  name: 'bulk',
  about: 'How long it takes to retry parked orders in bulk, and to accept orders meanwhile.',
  options: z.object({ orders: positive(3_000), rate: positive(100) }),

  async run(bench, { orders, rate }) {
    const generator = startLoadGenerator();
    bench.atEnd(generator.stop);
    const intake = startLoadGenerator();
    bench.atEnd(intake.stop);
    const side = await startProduct(bench);
    const left = async (target: number) => target - (await countCompleted(side));
    const send = () => generator.send(side, { path: '/v1/orders', count: orders, clients: 20 });

    const started = performance.now();
    await send();
    await untilZero('The worker completed no more orders', () => left(orders));
    const undisturbed = (performance.now() - started) / 1_000;
    bench.tell(`${orders} orders completed in ${rounded(undisturbed)} s`);

    await setFault(side, { mode: 'error_before' });
    await send();
    await untilZero('No more orders were parked', async () => orders - (await countParked(side)));
    await setFault(side, undefined);
    bench.tell(`${orders} orders parked`);

    const isRetried = new AbortController();
    const before = performance.now();
    await startBulkRetry(side, rate);
    const meanwhile = measureIntake(side, intake, isRetried.signal);
    // Awaited below, unless something else fails first.
    meanwhile.catch(() => {});
    // Those that are placed meanwhile are completed, too, so only the parked ones are looked at.
    await untilZero('No more orders were retried', () => countParked(side));
    await untilZero('The worker completed no more orders', () => countRetriedButOpen(side));
    const retried = (performance.now() - before) / 1_000;
    isRetried.abort();
    const times = await meanwhile;
    return [
      {
        title: `${orders} orders, in seconds`,
        columns: ['', 'until all are completed', 'ratio'],
        rows: [
          ['an undisturbed drain', rounded(undisturbed), 1],
          [`parked, then retried at ${rate}/s`, rounded(retried), rounded(retried / undisturbed, 2)],
        ],
      },
      {
        title: `Accepting ${RATE} orders/s meanwhile, in ms`,
        columns: ['', 'requests', 'p50', 'p99'],
        rows: [['during the retry', times.length, rounded(percentile(times, 0.5)), rounded(percentile(times, 0.99))]],
      },
    ];
  },
});

async function setFault({ warehouseUrl }: Side, fault: object | undefined): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const init = fault ? { method: 'PUT', headers, body: JSON.stringify(fault) } : { method: 'DELETE' };
  const response = await fetch(`${warehouseUrl}/_sandbox/faults`, init);
  if (!response.ok) throw new Error(`The warehouse answered ${response.status}.`);
}

async function countParked({ sql }: Side): Promise<number> {
  const [row] = await sql<{ count: number }[]>`select count(*)::int from orders where status = 'needs_attention'`;
  return row?.count ?? 0;
}

/** Counts the orders that were parked and are not completed. */
async function countRetriedButOpen({ sql }: Side): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int from orders
    where status <> 'completed' and id in (select order_id from failures where kind = 'step')`;
  return row?.count ?? 0;
}

async function startBulkRetry({ url, keys }: Side, ratePerSecond: number): Promise<void> {
  const response = await fetch(`${url}/v1/ops/bulk-actions`, {
    method: 'POST',
    headers: {
      'authorization': `Bearer ${keys.operatorKey}`,
      'content-type': 'application/json',
      'idempotency-key': randomUUID(),
    },
    body: JSON.stringify({ action: 'retry', filter: { step: 'ship' }, reason: 'bench', ratePerSecond }),
  });
  if (!response.ok) throw new Error(`The API answered the bulk action with ${response.status}: ${await response.text()}`);
}

/** Places orders at a steady rate, a few seconds' worth at a time, until it is stopped. @returns how long each took, sorted */
async function measureIntake(side: Side, generator: LoadGenerator, stop: AbortSignal): Promise<number[]> {
  const times: number[] = [];
  while (!stop.aborted) {
    const load = { path: '/v1/orders', clients: 10, count: RATE * 5, rate: RATE } as const;
    times.push(...(await generator.send(side, load)).times);
  }
  return times.toSorted((a, b) => a - b);
}
