import { z } from 'zod';
import { countCompleted, untilZero } from '../harness/drain.ts';
import { startLoadGenerator } from '../harness/load.ts';
import { defineMeasure, median, positive } from '../harness/measure.ts';
import { rounded } from '../harness/report.ts';
import { startProduct } from '../harness/sides.ts';

export const recovery = defineMeasure({
  name: 'recovery',
  about: 'How much longer orders take when the worker is killed while they are in progress.',
  options: z.object({ orders: positive(200), rounds: positive(3) }),

  async run(bench, { orders, rounds }) {
    const generator = startLoadGenerator();
    bench.atEnd(generator.stop);
    const side = await startProduct(bench);

    /** @returns the seconds from the first request until all orders are completed */
    const complete = async (isKilled: boolean): Promise<number> => {
      const before = await countCompleted(side);
      const left = async () => before + orders - (await countCompleted(side));
      const started = performance.now();
      await generator.send(side, { path: '/v1/orders', count: orders, clients: orders });
      if (isKilled) {
        bench.tell(`killing the worker with ${await left()} orders in progress`);
        process.kill(side.pid('worker'), 'SIGKILL');
      }
      await untilZero('The worker completed no more orders', left);
      return (performance.now() - started) / 1_000;
    };
    await complete(false);
    const undisturbed: number[] = [];
    const killed: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      undisturbed.push(await complete(false));
      killed.push(await complete(true));
      bench.tell(`undisturbed: ${rounded(undisturbed.at(-1) ?? 0)} s, killed: ${rounded(killed.at(-1) ?? 0)} s`);
    }
    const beyond = killed.map((seconds, round) => seconds - (undisturbed[round] ?? 0));
    return [
      {
        title: `${orders} orders, medians of the rounds, in seconds`,
        columns: ['', 'until all are completed'],
        rows: [
          ['undisturbed', rounded(median(undisturbed))],
          ['worker killed', rounded(median(killed))],
          ['beyond the undisturbed run', rounded(median(beyond))],
        ],
      },
    ];
  },
});
