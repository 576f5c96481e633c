import type { Command } from 'commander';
import { readRetrying, type RetryingStep } from '../queries/retrying.ts';
import { retryingView } from '../views/retrying.ts';
import { connected } from './connections.ts';
import { jsonOption, limitOption } from './options.ts';
import { print, shorten, table, type OutputOptions } from './output.ts';

/** `ops retrying`: trouble before it is a failure. */
export function addRetrying(program: Command): void {
  program
    .command('retrying')
    .description('What fails and is retried automatically.')
    .command('list', { isDefault: true })
    .description('Lists the steps that failed and are being retried.')
    .addOption(limitOption(50))
    .addOption(jsonOption())
    .action((options: OutputOptions & { limit: number }) =>
      connected(async (connections) => {
        const retrying = await readRetrying(connections, options.limit);
        print(options, retryingView(retrying, connections.links), () => listText(retrying.steps));
      }),
    );
}

const listText = (steps: RetryingStep[]): string =>
  table(
    ['order', 'step', 'attempts', 'next', 'last error'],
    steps.map(({ orderId, step, kind, attempts, errorType, errorMessage, pending }) => [
      orderId,
      kind === 'step' ? step : `undo ${step}`,
      pending?.attempt ?? attempts,
      pending?.nextAttemptAt,
      shorten(`${errorType ?? ''}: ${errorMessage ?? ''}`, 80),
    ]),
    'Nothing is being retried.',
  );
