import type { Command } from 'commander';
import { readQueues, readShop, type QueueState, type ShopState } from '../queues.ts';
import { askTemporal } from '../temporal.ts';
import { connected } from './connections.ts';
import { jsonOption } from './options.ts';
import { bold, durationText, facts, print, red, table, type OutputOptions } from './output.ts';

/** `ops queues`: what waits, and who works. */
export function addQueues(program: Command): void {
  program
    .command('queues')
    .description('what waits, and whether anybody works on it')
    .addOption(jsonOption())
    .action((options: OutputOptions) =>
      connected(async ({ db, temporal: client }) => {
        const [{ temporal, answer: queues }, shop] = await Promise.all([
          askTemporal(client, () => readQueues(client)),
          readShop(db),
        ]);
        const data = queues && queues.map(({ warning = null, ...queue }) => ({ ...queue, warning }));
        print(options, { shop, queues: data, temporal }, () => [queuesText(queues), '', shopText(shop)].join('\n'));
      }),
    );
}

function queuesText(queues: QueueState[] | null): string {
  if (!queues) return red('! Temporal does not answer.');
  const rows = queues.flatMap(({ taskQueue, workflows, activities }) =>
    [{ what: 'workflows', ...workflows }, { what: 'activities', ...activities }].map((row) => [
      taskQueue,
      row.what,
      row.pollers,
      row.backlog,
      durationText(row.backlogAge),
      row.addedPerSecond.toFixed(1),
      row.dispatchedPerSecond.toFixed(1),
    ]),
  );
  const warnings = queues.flatMap(({ taskQueue, warning }) =>
    warning ? [red(bold(`! ${taskQueue}: ${warning.toUpperCase()}`))] : [],
  );
  return [
    ...warnings,
    table(['task queue', 'tasks', 'pollers', 'backlog', 'oldest', 'in/s', 'out/s'], rows, 'There are no queues.'),
  ].join('\n');
}

const shopText = (shop: ShopState): string =>
  facts({
    'commands waiting': `${shop.commandsWaiting}, the oldest for ${durationText(shop.oldestCommandAge)}`,
    'open failures': shop.openFailures,
    'starts per minute': shop.startsPerMinute.toFixed(1),
    'completions per minute': shop.completionsPerMinute.toFixed(1),
    'failure rate': `${(shop.failureRate * 100).toFixed(1)} % of the orders ended in the last ten minutes`,
    orders: shop.ordersByStatus.map(({ status, count }) => `${count} ${status}`).join(', ') || 'none',
  });
