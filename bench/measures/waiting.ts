import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { untilZero } from '../harness/drain.ts';
import { startLoadGenerator } from '../harness/load.ts';
import { defineMeasure, positive } from '../harness/measure.ts';
import { rounded } from '../harness/report.ts';
import type { Side } from '../harness/side.ts';
import { startProduct } from '../harness/sides.ts';

/** ms between two looks at the memory. */
const LOOK_EVERY = 500;

export const waiting = defineMeasure({
  name: 'waiting',
  about: 'What the worker needs for signups that wait for their reminder, and for all reminders at once.',
  options: z.object({ signups: positive(10_000), reminder: positive(600) }),

  async run(bench, { signups, reminder }) {
    const generator = startLoadGenerator();
    bench.atEnd(generator.stop);
    const environment = { SIGNUP_REMINDERS: `${reminder}s`, VERIFICATION_DEADLINE: '7 days' };
    const side = await startProduct(bench, { environment });
    const missing = async (template: string) => signups - (await countEmails(side, template));
    const memory = watchMemory(side);
    bench.atEnd(() => Promise.resolve(memory.stop()));

    const started = performance.now();
    await generator.send(side, { path: '/v1/signups', count: signups, clients: 100 });
    await untilZero('No more signups began to wait', () => missing('verification'));
    const settled = (performance.now() - started) / 1_000;
    bench.tell(`${signups} signups wait after ${rounded(settled)} s`);
    const early = await countEmails(side, 'verification_reminder');
    if (early > 0) throw new Error(`${early} reminders were due before all signups waited. Use a later --reminder.`);
    const whileStarting = memory.highest();

    // Temporal is stopped until all timers have ended, so that it finds them ended at once.
    side.freeze(['api', 'worker']);
    await sleep(reminder * 1_000);
    const whileWaiting = await memory.now();
    side.thaw();
    const woken = performance.now();
    await untilZero('No more signups were woken', () => missing('verification_reminder'));
    const seconds = (performance.now() - woken) / 1_000;
    return [
      {
        title: `${signups} signups`,
        columns: ['', 'figure'],
        rows: [
          ['worker while they wait, MB', whileWaiting],
          ['worker at most while they are started, MB', whileStarting],
          ['worker at most, MB', memory.highest()],
          ['until all are woken, s', rounded(seconds)],
          ['woken and reminded, per second', rounded(signups / seconds)],
          ['lost', await missing('verification_reminder')],
        ],
      },
    ];
  },
});

async function countEmails({ sql }: Side, template: string): Promise<number> {
  const [row] = await sql<{ count: number }[]>`select count(*)::int from emails where template = ${template}`;
  return row?.count ?? 0;
}

/** Watches how much memory the worker has, in MB. */
function watchMemory(side: Side) {
  let highest = 0;
  const now = async () => {
    const status = await readFile(`/proc/${side.pid('worker')}/status`, 'utf8');
    const kilobytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
    const megabytes = Math.round(kilobytes / 1_024);
    highest = Math.max(highest, megabytes);
    return megabytes;
  };
  const timer = setInterval(() => void now(), LOOK_EVERY);
  return { now, highest: () => highest, stop: () => clearInterval(timer) };
}
