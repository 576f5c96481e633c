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

const WARM_UP = 50;

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
    const rows: number[][] = [];
    for (let workers = 1; workers <= options.workers; workers += 1) {
      if (workers > 1) {
        const worker = await startWorker(side, bench.folder, workers);
        bench.atEnd(() => worker.stop());
        others.push(worker);
      }
      await drain(side, runs, generator, Math.min(WARM_UP, options.orders));
      const cpuOfOthers = async () => (await Promise.all(others.map(({ pid }) => cpuSeconds(pid)))).reduce((sum, cpu) => sum + cpu, 0);
      const before = await cpuOfOthers();
      const { seconds, cpu } = await drain(side, runs, generator, options.orders);
      const worker = cpu.worker + (await cpuOfOthers()) - before;
      const each = (spent: number) => rounded((spent / options.orders) * 1_000);
      rows.push([workers, rounded(options.orders / seconds), each(worker), each(cpu.temporal ?? 0), each(worker + (cpu.temporal ?? 0))]);
      bench.tell(`${workers} workers: ${rounded(options.orders / seconds)} orders/s`);
    }
    return [
      {
        title: `${options.orders} orders, CPU in ms each`,
        columns: ['workers', 'orders/s', 'all workers', 'Temporal', 'both'],
        rows,
      },
    ];
  },
});

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
