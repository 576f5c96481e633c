import { z } from 'zod';
import { startLoadGenerator, type LoadResult } from '../harness/load.ts';
import { defineMeasure, median, positive } from '../harness/measure.ts';
import { rounded } from '../harness/report.ts';
import { startProduct } from '../harness/sides.ts';

export const busyIntake = defineMeasure({
  name: 'busy-intake',
  about: 'How long accepting an order takes at a steady rate, while the worker works on what was accepted.',
  options: z.object({ orders: positive(2_000), rate: positive(200), rounds: positive(3) }),

  async run(bench, { orders, rate, rounds }) {
    const generator = startLoadGenerator();
    bench.atEnd(generator.stop);
    const side = await startProduct(bench);
    const send = async (isBusy: boolean): Promise<LoadResult> => {
      if (isBusy) side.thaw();
      else side.freeze(['api']);
      return await generator.send(side, { path: '/v1/orders', clients: 100, count: orders, rate });
    };
    // Also gives the worker enough to do for the whole run.
    await send(false);
    const idle: LoadResult[] = [];
    const busy: LoadResult[] = [];
    for (let round = 0; round < rounds; round += 1) {
      idle.push(await send(false));
      busy.push(await send(true));
      bench.tell(`p99: ${rounded(idle.at(-1)?.p99 ?? 0)} ms idle, ${rounded(busy.at(-1)?.p99 ?? 0)} ms busy`);
    }
    return [
      {
        title: `Accepting ${rate} orders/s, in ms, medians of the rounds`,
        columns: ['', 'p50', 'p99'],
        rows: [row('worker stopped', idle), row('worker busy', busy)],
      },
    ];
  },
});

const row = (name: string, results: readonly LoadResult[]): (string | number)[] => [
  name,
  ...(['p50', 'p99'] as const).map((key) => rounded(median(results.map((result) => result[key])))),
];
