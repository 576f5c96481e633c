import type { Command } from 'commander';
import { duration } from '../contracts/duration-format.ts';
import { readShop, type ShopState } from '../queries/shop.ts';
import { askTemporal } from '../temporal/availability.ts';
import { readQueues, type QueueState } from '../temporal/queues.ts';
import { queuesView } from '../views/queues.ts';
import { connected } from './connections.ts';
import { jsonOption } from './options.ts';
import { bold, facts, print, red, table, TEMPORAL_AWAY, type OutputOptions } from './output.ts';

/** `ops queues`: what is waiting, and who is working. */
export function addQueues(program: Command): void {
  program
    .command('queues')
    .description('What is waiting, and whether workers are polling.')
    .addOption(jsonOption())
    .action((options: OutputOptions) =>
      connected(async ({ db, temporal }) => {
        const [shop, queues] = await Promise.all([readShop(db), askTemporal(temporal, () => readQueues(temporal))]);
        print(options, queuesView(shop, queues), () => [queuesText(queues.answer), '', shopText(shop)].join('\n'));
      }),
    );
}

function queuesText(queues: QueueState[] | null): string {
  if (!queues) return red(TEMPORAL_AWAY);
  const rows = queues.flatMap(({ taskQueue, workflows, activities }) =>
    [{ what: 'workflows', ...workflows }, { what: 'activities', ...activities }].map((row) => [
      taskQueue,
      row.what,
      row.pollers,
      row.backlog,
      duration(row.backlogAge),
      row.addedPerSecond.toFixed(1),
      row.dispatchedPerSecond.toFixed(1),
    ]),
  );
  const warnings = queues.flatMap(({ taskQueue, warning }) =>
    warning ? [red(bold(`! ${taskQueue}: ${warning.toUpperCase()}`))] : [],
  );
  return [
    ...warnings,
    table(['task queue', 'tasks', 'pollers', 'backlog', 'oldest', 'in/s', 'out/s'], rows, 'No queues.'),
  ].join('\n');
}

const shopText = (shop: ShopState): string =>
  facts({
    'commands waiting': `${shop.commandsWaiting}${shop.commandsWaiting > 0 ? `, the oldest for ${duration(shop.oldestCommandAge)}` : ''}`,
    'open failures': shop.openFailures,
    'starts per minute': shop.startsPerMinute.toFixed(1),
    'completions per minute': shop.completionsPerMinute.toFixed(1),
    'failure rate': `${(shop.failureRate * 100).toFixed(1)} % of the orders finished in the last ten minutes`,
    orders: shop.ordersByStatus.map(({ status, count }) => `${count} ${status}`).join(', ') || 'none',
  });
