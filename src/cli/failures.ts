import { Option, type Command } from 'commander';
import { wholeNumber, type Address } from '../contracts/fields.ts';
import { fixFailure } from '../operate/discrepancies.ts';
import { cancelFailure, requeueFailure, resetFailure, retryFailure, settleFailure } from '../operate/failures.ts';
import { nameOf, readActorNames, type ActorNames } from '../queries/actor-names.ts';
import { countFailures, listFailures, type Failure, type FailureCount } from '../queries/failures.ts';
import { loadFailureStory, type FailureWithRun } from '../queries/story-with-run.ts';
import { failureView, loadFailure } from '../views/failure.ts';
import { cutPage } from '../views/page.ts';
import { failureWithRunView } from '../views/story.ts';
import { addAction, addBulkableAction, type ActionOptions } from './action.ts';
import type { BulkOptions } from './bulk.ts';
import { connected, type Connections } from './connections.ts';
import {
  cursorOption,
  filterOf,
  idOf,
  jsonOption,
  limitOption,
  parseWith,
  withFilter,
  type FilterOptions,
  type PageOptions,
} from './options.ts';
import { facts, print, shorten, table, type OutputOptions } from './output.ts';

type AddressOptions = Partial<Address>;

const load = ({ db, links }: Connections, id: string) => loadFailure(db, links, id);

/** `ops failures`: what failed and waits for a person. */
export function addFailures(program: Command): void {
  const failures = program.command('failures').description('What failed and waits for a person.');

  withFilter(failures.command('list').description('Lists failures, newest first.'))
    .addOption(limitOption(50))
    .addOption(cursorOption())
    .addOption(jsonOption())
    .action((options: FilterOptions & PageOptions) => connected((connections) => list(connections, options)));

  failures
    .command('show')
    .description('Shows one failure, its history, and what its run is doing.')
    .argument('<id>')
    .addOption(jsonOption())
    .action((id: string, options: OutputOptions) =>
      connected(async (connections) => {
        const loaded = await loadFailureStory(connections, idOf(id));
        const names = await readActorNames(connections.db, loaded.events.map(({ actor }) => actor));
        print(options, failureWithRunView(loaded, connections.links), () => showText(loaded, names));
      }),
    );

  addBulkableAction(failures, 'retry', {
    verb: 'retry',
    action: retryFailure,
    load,
    options: [
      new Option('--line1 <text>', 'corrected shipping address, for a single failure: all four parts'),
      new Option('--city <text>'),
      new Option('--postal-code <text>'),
      new Option('--country <code>', 'ISO 3166-1, two capital letters'),
    ],
    inputOf: ({ line1, city, postalCode, country }: ActionOptions & BulkOptions & FilterOptions & AddressOptions) => {
      const shippingAddress = { line1, city, postalCode, country };
      return Object.values(shippingAddress).some((part) => part !== undefined) ? { shippingAddress } : {};
    },
  });
  addBulkableAction(failures, 'cancel', { verb: 'cancel', action: cancelFailure, load });
  addAction(failures, { verb: 'requeue', action: requeueFailure, load });
  addAction(failures, { verb: 'settle', action: settleFailure, load });
  addAction(failures, { verb: 'fix', action: fixFailure, load });
  addAction(failures, {
    verb: 'reset',
    action: resetFailure,
    load,
    options: [
      new Option('--event <id>', 'the event to undo; default: what it is failing at, or its end').argParser(
        parseWith(wholeNumber(1, Number.MAX_SAFE_INTEGER)),
      ),
    ],
    inputOf: ({ event }: ActionOptions & { event?: number }) => (event === undefined ? {} : { eventId: event }),
  });
}

async function list({ db, links }: Connections, options: FilterOptions & PageOptions): Promise<void> {
  const filter = filterOf(options);
  const { limit } = options;
  const [rows, counts] = await Promise.all([listFailures(db, filter, options), countFailures(db, filter)]);
  const { page, nextCursor } = cutPage(rows, limit, ({ id }) => id);
  const data = page.map((failure) => failureView(failure, links));
  print(options, { data, nextCursor, counts }, () => listText(page, counts, nextCursor));
}

function listText(page: Failure[], counts: FailureCount[], nextCursor: string | null): string {
  const rows = page.map(({ id, status, kind, step, errorType, attempts, lastSeenAt, workflowId }) => [
    id,
    status,
    kind,
    step,
    errorType,
    attempts,
    lastSeenAt,
    workflowId,
  ]);
  const all = counts.reduce((sum, { count }) => sum + count, 0);
  return [
    table(['id', 'status', 'kind', 'step', 'error', 'attempts', 'last seen', 'workflow'], rows, 'Nothing matches.'),
    ...(nextCursor === null
      ? []
      : [
          '',
          `${rows.length} of ${all} shown. Next page: --cursor ${nextCursor}`,
          ...counts.map(({ kind, step, errorType, count }) => `${String(count).padStart(7)}  ${kind} / ${step} / ${errorType}`),
        ]),
  ].join('\n');
}

function showText({ failure, events, run }: FailureWithRun, names: ActorNames): string {
  const { errorType, errorMessage, ...rest } = failure;
  const pending = run?.pendingActivities.map(({ activity, attempt, lastFailure, nextAttemptAt }) => [
    activity,
    attempt,
    nextAttemptAt,
    lastFailure && shorten(`${lastFailure.type}: ${lastFailure.message}`, 80),
  ]);
  return [
    facts({
      id: rest.id,
      status: rest.status,
      kind: rest.kind,
      step: rest.step,
      error: `${errorType}: ${errorMessage}`,
      attempts: rest.attempts,
      occurrence: rest.occurrence,
      order: rest.orderId,
      signup: rest.signupId,
      generation: rest.generation,
      workflow: rest.workflowId,
      run: run ? `${run.runId} (${run.status})` : rest.runId,
      'first seen': rest.firstSeenAt,
      'last seen': rest.lastSeenAt,
      'next retry': rest.nextRetryAt,
      closed: rest.closedAt,
    }),
    '',
    table(['at', 'what', 'by', 'why'], events.map(({ at, type, actor, reason }) => [at, type, nameOf(actor, names), shorten(reason, 100)]), ''),
    ...(pending && pending.length > 0 ? ['', table(['activity', 'attempt', 'next', 'last failure'], pending, '')] : []),
  ].join('\n');
}
