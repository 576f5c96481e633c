import type { Command } from 'commander';
import { readRetryingSteps, withPendingActivity, type RetryingStep } from '../retrying.ts';
import { askTemporal } from '../temporal.ts';
import { connected } from './connections.ts';
import { jsonOption, limitOption } from './options.ts';
import { print, shorten, table, type OutputOptions } from './output.ts';
import { pendingActivityView } from './views.ts';

/** `ops retrying`: trouble before it is a failure. */
export function addRetrying(program: Command): void {
  program
    .command('retrying')
    .description('what is being retried: trouble before it is a failure')
    .command('list', { isDefault: true })
    .description('show the steps that are on their second attempt or later')
    .addOption(limitOption(50))
    .addOption(jsonOption())
    .action((options: OutputOptions & { limit: number }) =>
      connected(async ({ db, temporal: client }) => {
        const known = await readRetryingSteps(db, options.limit);
        const { temporal, answer } = await askTemporal(client, () => withPendingActivity(client, known));
        const steps: RetryingStep[] = answer ?? known.map((step) => ({ ...step, pending: undefined }));
        const data = steps.map(({ pending, errorType, errorMessage, ...step }) => ({
          ...step,
          error: errorType === null ? null : { type: errorType, message: errorMessage ?? '' },
          pending: pending ? pendingActivityView(pending) : null,
        }));
        const rows = steps.map(({ orderId, step, kind, attempts, errorType, errorMessage, pending }) => [
          orderId,
          kind === 'step' ? step : `undo ${step}`,
          pending?.attempt ?? attempts,
          pending?.nextAttemptAt,
          shorten(`${errorType ?? ''}: ${errorMessage ?? ''}`, 80),
        ]);
        print(options, { data, temporal }, () => table(['order', 'step', 'attempts', 'next', 'last error'], rows, 'Nothing is being retried.'));
      }),
    );
}
