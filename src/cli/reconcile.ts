import type { Command } from 'commander';
import { BOOK_SIDES, type ReconcileInput } from '../contracts/books.ts';
import { TASK_QUEUES } from '../contracts/names.ts';
import { readBooks, type Books } from '../queries/books.ts';
import { booksView } from '../views/books.ts';
import { connected } from './connections.ts';
import { EXIT } from './exit.ts';
import { jsonOption } from './options.ts';
import { print, red, table, type OutputOptions } from './output.ts';

/** Differences printed at most. */
const PRINTED = 1_000;

/** `ops reconcile`: compares the books now, and says what differs. */
export function addReconcile(program: Command): void {
  program
    .command('reconcile')
    .description('Compares Postgres with Temporal, the payment provider and the warehouse. Exits with 4 if anything differs or could not be compared.')
    .option('--changed', 'only what has changed since the last check')
    .addOption(jsonOption())
    .action((options: OutputOptions & { changed?: boolean }) =>
      connected(async ({ db, temporal }) => {
        const input: ReconcileInput = { scope: options.changed ? 'changed' : 'everything', confirm: true };
        // A worker compares: it knows the outside services. What looks different is compared again after the grace period.
        await temporal.workflow.execute('reconcile', {
          workflowId: `reconcile-by-hand-${crypto.randomUUID()}`,
          taskQueue: TASK_QUEUES.operations,
          args: [input],
        });
        const books = await readBooks(db, PRINTED);
        print(options, booksView(books), () => text(books, input));
        const isUnchecked = books.checks.some(({ runs }) => runs.find(({ scope }) => scope === input.scope)?.error !== null);
        // A younger one may be something that is just under way.
        const isDifferent = books.differences.some(({ failureId }) => failureId !== null);
        if (isUnchecked || isDifferent) process.exitCode = EXIT.problem;
      }),
    );
}

function text({ checks, differences }: Books, { scope }: ReconcileInput): string {
  const lines = checks.map(({ check, runs, differences: count }) => {
    const run = runs.find((last) => last.scope === scope);
    return [check, run?.compared, count, run?.error ? red(`not checked: ${run.error}`) : 'checked'];
  });
  const found = differences.map(({ check, subject, what, ours, theirs, firstSeenAt }) => [
    what,
    subject,
    `${BOOK_SIDES[check].ours}: ${ours}`,
    `${BOOK_SIDES[check].theirs}: ${theirs}`,
    firstSeenAt,
  ]);
  return [
    table(['check', 'compared', 'differences', ''], lines, 'No checks.'),
    '',
    table(['difference', 'of', 'one side', 'the other', 'since'], found, 'Everything agrees.'),
  ].join('\n');
}
