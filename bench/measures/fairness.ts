import { z } from 'zod';
import { untilZero } from '../harness/drain.ts';
import { percentile, startLoadGenerator } from '../harness/load.ts';
import { defineMeasure, positive } from '../harness/measure.ts';
import { rounded, type Figures } from '../harness/report.ts';
import type { Side } from '../harness/side.ts';
import { startBaseline, startProduct } from '../harness/sides.ts';

/** Orders that the worker is warmed up with. */
const WARM_UP = 50;
/** Orders per second of the other key. */
const RATE = 1;

/** Of each order, in ms from its request, sorted. */
interface Times {
  /** Until its run was started. */
  started: number[];
  charged: number[];
}

interface Found {
  side: Side;
  alone: Times;
  behind: Times;
}

export const fairness = defineMeasure({
  name: 'fairness',
  about: 'How long the orders of one key take to be charged while a burst of another key waits.',
  options: z.object({ burst: positive(5_000), orders: positive(30) }),

  async run(bench, { burst, orders }) {
    const generator = startLoadGenerator();
    bench.atEnd(generator.stop);
    const measured: Found[] = [];
    for (const start of [startProduct, startBaseline]) {
      const side = await start(bench);
      if (!side) continue;
      /** Sends the orders of the other key. @returns their times */
      const sendOthers = async (): Promise<Times> => {
        const from = Date.now();
        await generator.send(side, { path: '/v1/orders', key: side.keys.supportKey, clients: 10, count: orders, rate: RATE });
        return await readTimes(side, from, orders);
      };
      await generator.send(side, { path: '/v1/orders', clients: 10, count: WARM_UP });
      await untilZero(`${side.name} charged no more orders`, () => countUncharged(side));
      const alone = await sendOthers();
      await generator.send(side, { path: '/v1/orders', clients: 20, count: burst });
      bench.tell(`${side.name}: accepted a burst of ${burst}`);
      const behind = await sendOthers();
      bench.tell(`${side.name}: charged, with ${await countUncharged(side)} of the burst still waiting`);
      measured.push({ side, alone, behind });
      await side.stop();
    }
    return measured.map((found) => table(burst, found));
  },
});

/** Waits until the orders of the other key are charged, and reads how long that took: an address says when its order was sent. */
async function readTimes(side: Side, from: number, orders: number): Promise<Times> {
  const read = () => side.sql<{ started: number; charged: number }[]>`
    select
      extract(epoch from commands.delivered_at)::float8 * 1000 - sent as started,
      extract(epoch from order_events.created_at)::float8 * 1000 - sent as charged
    from orders
    join api_keys on api_keys.id = orders.owner and api_keys.role = 'support'
    join order_events on order_events.order_id = orders.id and order_events.status = 'charged'
    join commands on commands.workflow_id = 'order/' || orders.id and commands.body ->> 'type' = 'start_order'
    cross join lateral (select substring(customer_email from '^[0-9]+')::float8 as sent) as customer
    where sent >= ${from}`;
  await untilZero(`${side.name} charged no more orders`, async () => ((await read()).length === orders ? 0 : await countUncharged(side)));
  const rows = await read();
  const sorted = (key: keyof Times) => rows.map((row) => row[key]).toSorted((a, b) => a - b);
  return { started: sorted('started'), charged: sorted('charged') };
}

/** Counts the orders that are not charged yet, whosever they are. */
async function countUncharged({ sql }: Side): Promise<number> {
  const [row] = await sql<{ count: number }[]>`select count(*)::int from orders where status in ('accepted', 'reserved')`;
  return row?.count ?? 0;
}

const table = (burst: number, { side, alone, behind }: Found): Figures => ({
  title: `${side.name}: one order per second of one key, in ms from the request`,
  columns: ['', 'started, p50', 'max', 'charged, p50', 'max'],
  rows: [row('alone', alone), row(`behind a burst of ${burst} of another key`, behind)],
});

const row = (name: string, { started, charged }: Times): (string | number)[] => [
  name,
  ...[started, charged].flatMap((times) => [rounded(percentile(times, 0.5)), rounded(times.at(-1) ?? 0)]),
];
