import { z } from 'zod';
import { cpuSeconds } from '../harness/cpu.ts';
import { countCompleted, untilZero } from '../harness/drain.ts';
import { startLoadGenerator, type Load, type LoadResult } from '../harness/load.ts';
import { defineMeasure, median, positive } from '../harness/measure.ts';
import { rounded, type Figures } from '../harness/report.ts';
import type { Side } from '../harness/side.ts';
import { startBaseline, startPeer, startProduct } from '../harness/sides.ts';

const KINDS = ['signups', 'orders'] as const;
type Kind = (typeof KINDS)[number];
const PATHS = { signups: '/v1/signups', orders: '/v1/orders' } as const satisfies Record<Kind, Load['path']>;

/** Requests to each side that are not measured, so that its code is compiled and its connections are open. */
const WARM_UP = 1_000;

/** One round of one side. */
type Round = LoadResult & { apiCpu: number };

interface Competitor {
  side: Side;
  /** Its processes that take part in accepting. */
  processes: readonly string[];
  rounds: Record<Kind, Round[]>;
  /** How many requests were answered 202, warm-up included. */
  told: Record<Kind, number>;
  lost: () => Promise<Record<Kind, number>>;
}

export const intake = defineMeasure({
  name: 'intake',
  about: 'How many signups and orders are accepted per second, next to a row in Postgres and a job in BullMQ.',
  options: z.object({
    signups: positive(10_000),
    orders: positive(10_000),
    clients: positive(100),
    rounds: positive(5),
    workers: z.enum(['stopped', 'running']).default('stopped'),
    peer: z.enum(['bullmq', 'none']).default('bullmq'),
    until: z.enum(['accepted', 'completed']).default('accepted'),
  }),

  async run(bench, options) {
    const { tell } = bench;
    const areStopped = options.workers === 'stopped';
    const generator = startLoadGenerator();
    bench.atEnd(generator.stop);
    const competitors: Competitor[] = [];
    const add = (side: Side, processes: readonly string[], count: (told: Competitor['told']) => Competitor['lost']) => {
      side.freeze();
      const told = { signups: 0, orders: 0 };
      competitors.push({ side, processes, rounds: { signups: [], orders: [] }, told, lost: count(told) });
    };
    const product = await startProduct(bench);
    add(product, ['api'], (told) => () => missingCommands(product, told));
    if (options.peer === 'bullmq') {
      const peer = await startPeer(bench, 'bullmq');
      add(peer, ['api', 'redis'], (told) => () => missingJobs(peer, told));
    }
    const baseline = await startBaseline(bench);
    if (baseline) add(baseline, ['api'], (told) => () => missingRows(baseline, told));

    const measured = async ({ side, processes, rounds, told }: Competitor, kind: Kind, load: Load, isWarmUp: boolean) => {
      if (areStopped) side.freeze(processes);
      else side.thaw();
      const api = side.pid('api');
      const before = await cpuSeconds(api);
      const result = await generator.send(side, load);
      const apiCpu = (await cpuSeconds(api)) - before;
      side.freeze();
      told[kind] += result.accepted;
      if (isWarmUp) return;
      rounds[kind].push({ ...result, apiCpu });
      tell(`${side.name}: ${result.accepted} ${kind} in ${rounded(result.seconds)} s, ${rounded(result.accepted / result.seconds, 0)}/s`);
    };
    for (const kind of KINDS) {
      const count = Math.ceil(options[kind] / options.rounds);
      const load = { path: PATHS[kind], clients: options.clients, count };
      for (const one of competitors) await measured(one, kind, { ...load, count: Math.min(count, WARM_UP) }, true);
      for (let round = 0; round < options.rounds; round += 1) {
        // Each begins as often as it ends, in case the machine becomes slower or faster.
        for (const one of round % 2 === 0 ? competitors : competitors.toReversed()) await measured(one, kind, load, false);
      }
    }

    const tables: Figures[] = [];
    const losses = new Map<Competitor, Record<Kind, number>>();
    for (const one of competitors) {
      tell(`${one.side.name}: looking for what was accepted …`);
      one.side.thaw();
      losses.set(one, await one.lost());
      if (one.side === product && options.until === 'completed') {
        await untilZero('holdfast completed no more orders', async () => one.told.orders - (await countCompleted(product)));
        tell(`${one.side.name}: all ${one.told.orders} orders are completed`);
      }
      one.side.freeze();
    }
    for (const kind of KINDS) {
      tables.push(ratesTable(kind, competitors, losses));
      if (competitors.length > 1) tables.push(ratiosTable(kind, competitors));
    }
    return tables;
  },
});

function ratesTable(kind: Kind, competitors: readonly Competitor[], losses: Map<Competitor, Record<Kind, number>>): Figures {
  return {
    title: `${kind}, medians of the rounds`,
    columns: ['', 'accepted/s', 'p50 ms', 'p99 ms', 'CPU of the API, µs each', 'of the clients', 'lost'],
    rows: competitors.map((one) => {
      const of = (figure: (round: Round) => number, decimals = 1) => rounded(median(one.rounds[kind].map(figure)), decimals);
      return [
        one.side.name,
        of(rate, 0),
        of(({ p50 }) => p50),
        of(({ p99 }) => p99),
        of(({ apiCpu, accepted }) => (apiCpu / accepted) * 1e6, 0),
        of(({ cpu, accepted }) => (cpu / accepted) * 1e6, 0),
        losses.get(one)?.[kind] ?? 0,
      ];
    }),
  };
}

/** Each ratio is the median of those within the rounds: a round takes seconds, in which the machine is the same for all. */
function ratiosTable(kind: Kind, [product, ...others]: readonly Competitor[]): Figures {
  const ratio = (other: Competitor, figure: (round: Round) => number) => {
    const each = product?.rounds[kind].map((round, index) => figure(round) / figure(other.rounds[kind][index] ?? round)) ?? [];
    return rounded(median(each), 2);
  };
  return {
    title: `${kind}, holdfast relative to`,
    columns: ['', 'accepted/s', 'p99'],
    rows: others.map((other) => [other.side.name, ratio(other, rate), ratio(other, ({ p99 }) => p99)]),
  };
}

const rate = ({ accepted, seconds }: Round): number => accepted / seconds;

const difference = (told: Record<Kind, number>, found: Record<Kind, number>): Record<Kind, number> => ({
  signups: told.signups - found.signups,
  orders: told.orders - found.orders,
});

async function missingRows({ sql }: Side, told: Record<Kind, number>): Promise<Record<Kind, number>> {
  const [found] = await sql<Record<Kind, number>[]>`
    select (select count(*)::int from signups) as signups, (select count(*)::int from orders) as orders`;
  return difference(told, found ?? { signups: 0, orders: 0 });
}

/** Counts what was accepted and has no row, or no command that starts its run. */
async function missingCommands({ sql }: Side, told: Record<Kind, number>): Promise<Record<Kind, number>> {
  const [found] = await sql<Record<Kind, number>[]>`
    select
      (select count(*)::int from signups join commands on workflow_id = 'signup/' || signups.id
        where body ->> 'type' = 'start_signup') as signups,
      (select count(*)::int from orders join commands on workflow_id = 'order/' || orders.id
        where body ->> 'type' = 'start_order') as orders`;
  return difference(told, found ?? { signups: 0, orders: 0 });
}

const acceptedSchema = z.record(z.enum(KINDS), z.object({ rows: z.number(), jobs: z.number() }));

async function missingJobs({ url }: Side, told: Record<Kind, number>): Promise<Record<Kind, number>> {
  const { signups, orders } = acceptedSchema.parse(await (await fetch(`${url}/accepted`)).json());
  return difference(told, { signups: Math.min(signups.rows, signups.jobs), orders: Math.min(orders.rows, orders.jobs) });
}
