import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { startChild, type Child } from '../../src/sandbox/child.ts';
import { workerIsPolling } from '../../src/sandbox/prepare.ts';
import { WORKER_FLAGS } from '../../src/sandbox/parts.ts';
import { projectRoot } from '../../src/sandbox/project.ts';
import { cpuSeconds } from '../harness/cpu.ts';
import { drain, temporalRuns } from '../harness/drain.ts';
import { startLoadGenerator } from '../harness/load.ts';
import { defineMeasure, positive } from '../harness/measure.ts';
import { rounded } from '../harness/report.ts';
import type { Side } from '../harness/side.ts';
import { connectTo, startProduct } from '../harness/sides.ts';

const WARM_UP = 100;

export const scale = defineMeasure({
  name: 'scale',
  about: 'What CPU an order takes with one, two and three worker processes.',
  options: z.object({ orders: positive(300), workers: positive(3) }),

  async run(bench, options) {
    const generator = startLoadGenerator();
    bench.atEnd(generator.stop);
    const side = await startProduct(bench);
    const runs = temporalRuns(side, await connectTo(bench, side));
    const others: Child[] = [];
    const cpuOf = async (): Promise<Cpu> => ({
      workers: await sumOf([side.pid('worker'), ...others.map(({ pid }) => pid)].map(cpuSeconds)),
      Temporal: await cpuSeconds(side.pid('temporal')),
      API: await cpuSeconds(side.pid('api')),
      Postgres: await bench.postgres.cpuSeconds(),
    });
    const rounds: { workers: number; rate: number; cpu: Cpu }[] = [];
    for (let workers = 1; workers <= options.workers; workers += 1) {
      if (workers > 1) {
        const worker = await startWorker(side, bench.folder, workers);
        bench.atEnd(() => worker.stop());
        others.push(worker);
      }
      await drain(side, runs, generator, Math.min(WARM_UP * workers, options.orders));
      const before = await cpuOf();
      const { seconds } = await drain(side, runs, generator, options.orders);
      const after = await cpuOf();
      const cpu = eachPart((part) => (after[part] - before[part]) / options.orders);
      rounds.push({ workers, rate: options.orders / seconds, cpu });
      bench.tell(`${workers} workers: ${rounded(options.orders / seconds)} orders/s`);
    }
    return [
      {
        title: `${options.orders} orders, CPU in ms each`,
        columns: ['workers', 'orders/s', ...PARTS],
        rows: rounds.map(({ workers, rate, cpu }) => [workers, rounded(rate), ...PARTS.map((part) => rounded(cpu[part] * 1_000))]),
      },
      {
        title: 'Cores that a cluster needs, by the CPU of an order with the most workers',
        columns: ['orders/s', ...PARTS],
        rows: RATES.map((rate) => [rate, ...PARTS.map((part) => rounded(rate * (rounds.at(-1)?.cpu[part] ?? 0)))]),
      },
    ];
  },
});

/** What serves an order and would have its own machines in a cluster. The simulators stand for the outside. */
const PARTS = ['workers', 'Temporal', 'API', 'Postgres'] as const;

/** Seconds of CPU. */
type Cpu = Record<(typeof PARTS)[number], number>;

const eachPart = (read: (part: keyof Cpu) => number): Cpu => ({
  workers: read('workers'),
  Temporal: read('Temporal'),
  API: read('API'),
  Postgres: read('Postgres'),
});

/** Orders per second. */
const RATES = [10, 50, 200];

const sumOf = async (figures: Promise<number>[]): Promise<number> => (await Promise.all(figures)).reduce((sum, figure) => sum + figure, 0);

/** Starts another worker with the environment of the side's own. */
async function startWorker(side: Side, folder: string, number: number): Promise<Child> {
  const variables = readFileSync(`/proc/${side.pid('worker')}/environ`, 'utf8').split('\0').filter(Boolean);
  const env = Object.fromEntries(
    variables.map((variable): [string, string] => {
      const [name = '', ...value] = variable.split('=');
      return [name, value.join('=')];
    }),
  );
  const isPolling = workerIsPolling(env);
  return await startChild({
    name: `worker-${number}`,
    command: process.execPath,
    args: ['--import', 'tsx', ...WORKER_FLAGS, 'src/worker.ts'],
    cwd: projectRoot,
    env,
    logFile: join(folder, `worker-${number}.log`),
    stopSignal: 'SIGTERM',
    stopGraceMs: 30_000,
    isReady: (_signal, pid) => isPolling(pid),
    readyWithinMs: 90_000,
  });
}
