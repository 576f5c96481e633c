import { z } from 'zod';
import { countCompleted, untilZero } from '../harness/drain.ts';
import { startLoadGenerator } from '../harness/load.ts';
import { defineMeasure, median, positive } from '../harness/measure.ts';
import { rounded, type Figures } from '../harness/report.ts';
import type { Side } from '../harness/side.ts';
import { startBaseline, startPeer, startProduct } from '../harness/sides.ts';

const WARM_UP = 50;
/** What is waited for, by the status that says so. */
const STAGES = { charged: 'charged', fulfilling: 'handed over', completed: 'completed' } as const;
type Stage = keyof typeof STAGES;

type Times = Record<Stage, { p50: number; p99: number }>;

export const latency = defineMeasure({
  name: 'latency',
  about: 'How long an order takes to be charged and to be handed to the warehouse, while they come at a steady rate.',
  options: z.object({
    orders: positive(600),
    rate: positive(10),
    rounds: positive(3),
    peer: z.enum(['plain', 'none']).default('plain'),
  }),

  async run(bench, options) {
    const { tell } = bench;
    const generator = startLoadGenerator();
    bench.atEnd(generator.stop);
    const sides = [
      await startProduct(bench),
      options.peer === 'plain' ? await startPeer(bench, 'plain') : undefined,
      await startBaseline(bench),
    ].filter((side) => side !== undefined);
    const rounds = new Map<Side, Times[]>(sides.map((side) => [side, []]));
    for (const side of sides) side.freeze();

    const send = async (side: Side, count: number): Promise<Times> => {
      side.thaw();
      const from = Date.now();
      const before = await countCompleted(side);
      await generator.send(side, { path: '/v1/orders', clients: 10, count, rate: options.rate });
      await untilZero(`${side.name} completed no more orders`, async () => before + count - (await countCompleted(side)));
      const times = await readTimes(side, from);
      side.freeze();
      return times;
    };
    for (const side of sides) await send(side, Math.min(options.orders, WARM_UP));
    for (let round = 0; round < options.rounds; round += 1) {
      for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
        const times = await send(side, Math.ceil(options.orders / options.rounds));
        rounds.get(side)?.push(times);
        tell(`${side.name}: charged after ${rounded(times.charged.p50)} ms, p99 ${rounded(times.charged.p99)} ms`);
      }
    }
    return [table(options.rate, rounds)];
  },
});

/** Reads from when an order was sent, which its customer's address says, until the transaction that changed its status. */
async function readTimes({ sql }: Side, from: number): Promise<Times> {
  const rows = await sql<{ status: Stage; p50: number; p99: number }[]>`
    with times as (
      select order_events.status, extract(epoch from order_events.created_at) * 1000 - sent as ms
      from order_events
      join orders on orders.id = order_events.order_id
      cross join lateral (select substring(customer_email from '^[0-9]+')::float8 as sent) as customer
      where sent >= ${from} and order_events.status = any (${Object.keys(STAGES)})
    )
    select status, percentile_cont(0.5) within group (order by ms) as p50, percentile_cont(0.99) within group (order by ms) as p99
    from times group by status`;
  const of = (stage: Stage) => {
    const row = rows.find(({ status }) => status === stage);
    if (!row) throw new Error(`No order became ${stage}.`);
    return { p50: row.p50, p99: row.p99 };
  };
  return { charged: of('charged'), fulfilling: of('fulfilling'), completed: of('completed') };
}

function table(rate: number, rounds: ReadonlyMap<Side, readonly Times[]>): Figures {
  const stages: Stage[] = ['charged', 'fulfilling', 'completed'];
  return {
    title: `From the request, at ${rate} orders/s, in ms, medians of the rounds`,
    columns: ['', ...stages.flatMap((stage) => [`${STAGES[stage]}, p50`, 'p99'])],
    rows: [...rounds].map(([side, times]) => [
      side.name,
      ...stages.flatMap((stage) => {
        const of = (figure: 'p50' | 'p99') => rounded(median(times.map((each) => each[stage][figure])));
        return [of('p50'), of('p99')];
      }),
    ]),
  };
}
