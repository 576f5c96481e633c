import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';
import { projectRoot } from '../../src/sandbox/project.ts';
import { dbosRuns, drain, lastCompleted, temporalRuns, type Drained } from '../harness/drain.ts';
import { startLoadGenerator } from '../harness/load.ts';
import { defineMeasure, list, median, positive } from '../harness/measure.ts';
import { rounded, type Figures } from '../harness/report.ts';
import type { Side } from '../harness/side.ts';
import { connectTo, startBaseline, startPeer, startProduct, type Bench } from '../harness/sides.ts';
import { scriptOf, type ScriptedTask } from '../peers/skeleton/script.ts';

const execute = promisify(execFile);

/** Orders of each side that are not measured. */
const WARM_UP = 50;

interface Competitor {
  name: string;
  drain: (orders: number) => Promise<Drained>;
  rounds: Drained[];
}

export const drainMeasure = defineMeasure({
  name: 'drain',
  about: 'How many orders per second go from accepted to completed, and what CPU they take.',
  options: z.object({ orders: positive(500), rounds: positive(3), peers: list(['plain', 'dbos']) }),

  async run(bench, options) {
    const { tell } = bench;
    const generator = startLoadGenerator();
    bench.atEnd(generator.stop);
    const competitors: Competitor[] = [];
    const add = async (side: Side) => {
      const runs = side.has('temporal') ? temporalRuns(side, await connectTo(bench, side)) : dbosRuns(side);
      side.freeze();
      const drainSide = async (orders: number) => {
        side.thaw();
        const drained = await drain(side, runs, generator, orders);
        side.freeze();
        return drained;
      };
      competitors.push({ name: side.name, drain: drainSide, rounds: [] });
    };
    const product = await startProduct(bench);
    await add(product);
    for (const peer of options.peers) await add(await startPeer(bench, peer));
    const baseline = await startBaseline(bench);
    if (baseline) await add(baseline);
    for (const one of competitors) await one.drain(Math.min(options.orders, WARM_UP));
    competitors.push({ name: 'skeleton', drain: (orders) => drainSkeletons(bench, product, orders), rounds: [] });

    const count = Math.ceil(options.orders / options.rounds);
    for (let round = 0; round < options.rounds; round += 1) {
      for (const one of round % 2 === 0 ? competitors : competitors.toReversed()) {
        const drained = await one.drain(count);
        one.rounds.push(drained);
        tell(`${one.name}: ${count} orders in ${rounded(drained.seconds)} s, ${rounded(count / drained.seconds)}/s`);
      }
    }
    return tables(competitors, count);
  },
});

const drainedSchema = z.object({
  seconds: z.number(),
  cpu: z.object({ worker: z.number(), temporal: z.number() }),
  run: z.object({ events: z.number(), workflowTasks: z.number() }),
});

/** Runs what one of the orders of a side did in Temporal, with nothing in it, on the server of the side. */
async function drainSkeletons(bench: Bench, side: Side, count: number): Promise<Drained> {
  side.thaw();
  const { workflow } = await connectTo(bench, side);
  const scripts: ScriptedTask[][] = [];
  for (const id of await lastCompleted(side)) scripts.push(scriptOf(await workflow.getHandle(id).fetchHistory()));
  // Orders differ in how much arrives at once. This one has a usual number of workflow tasks.
  const script = scripts.toSorted((a, b) => a.length - b.length)[Math.floor(scripts.length / 2)];
  // Only the server serves them.
  side.freeze(['temporal']);
  const options = JSON.stringify({ address: side.temporalAddress, temporalPid: side.pid('temporal'), count, script });
  const program = ['--import', 'tsx', 'bench/peers/skeleton/main.ts', options];
  const { stdout } = await execute(process.execPath, program, { cwd: projectRoot });
  side.freeze();
  return drainedSchema.parse(JSON.parse(stdout));
}

/** Reads one figure of a round. Undefined if the side does not report it. */
type Figure = (round: Drained) => number | undefined;

function tables(competitors: readonly Competitor[], orders: number): Figures[] {
  const figures: Record<string, Figure> = {
    'orders/s': ({ seconds }) => orders / seconds,
    'CPU of the worker, ms each': ({ cpu }) => (cpu.worker / orders) * 1_000,
    'CPU of Temporal, ms each': ({ cpu: { temporal } }) => temporal && (temporal / orders) * 1_000,
    'events each': ({ run }) => run?.events,
    'workflow tasks each': ({ run }) => run?.workflowTasks,
  };
  const columns = ['', ...Object.keys(figures)];
  const [product, ...others] = competitors;
  const ratios = (other: Competitor, figure: Figure) =>
    (product?.rounds ?? []).map((round, index) => {
      const [ours, theirs] = [round, other.rounds[index]].map((each) => each && figure(each));
      return ours === undefined || theirs === undefined ? undefined : ours / theirs;
    });
  return [
    {
      title: 'From accepted to completed, medians of the rounds',
      columns,
      rows: competitors.map(({ name, rounds }) => [name, ...Object.values(figures).map((figure) => cell(rounds.map(figure), 1))]),
    },
    {
      title: 'From accepted to completed, holdfast relative to',
      columns,
      rows: others.map((other) => [other.name, ...Object.values(figures).map((figure) => cell(ratios(other, figure), 2))]),
    },
  ];
}

/** @returns the median of what there is */
function cell(values: readonly (number | undefined)[], decimals: number): string | number {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? '–' : rounded(median(known), decimals);
}
