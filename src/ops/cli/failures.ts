import { Option, type Command } from 'commander';
import { z } from 'zod';
import type { Database } from '../../db/client.ts';
import { notFound } from '../../intake/errors.ts';
import { requestCancel, requestReset, requestRetry, requestSettlement } from '../../intake/failure-actions.ts';
import { countFailures, listFailures, readFailure, type Failure, type FailureCount, type FailureEvent } from '../failures.ts';
import { describeRun, type RunState } from '../runs.ts';
import { askTemporal } from '../temporal.ts';
import { runBulk, selectionOf, type BulkOptions } from './bulk.ts';
import { confirm } from './confirm.ts';
import { connected, type Connections } from './connections.ts';
import { UsageError } from './exit.ts';
import {
  cursorOption,
  dryRunOption,
  filterOf,
  idOf,
  idsOf,
  instructionOf,
  jsonOption,
  limitOption,
  parseWith,
  rateOption,
  watchOption,
  withFilter,
  withInstruction,
  yesOption,
  type FilterOptions,
  type InstructionOptions,
} from './options.ts';
import { facts, print, shorten, table, type OutputOptions } from './output.ts';
import { cutPage, failureEventView, failureView, pendingActivityView } from './views.ts';

/** `ops failures`: what needs, or needed, a person. */
export function addFailures(program: Command): void {
  const failures = program.command('failures').description('what needs, or needed, a person');

  withFilter(failures.command('list').description('show failures, the newest first'))
    .addOption(limitOption(50))
    .addOption(cursorOption())
    .addOption(jsonOption())
    .action((options: FilterOptions & PageOptions) => connected(({ db }) => list(db, options)));

  failures
    .command('show')
    .description('show one failure, what was done about it, and what Temporal says')
    .argument('<id>')
    .addOption(jsonOption())
    .action((id: string, options: OutputOptions) => connected((connections) => show(connections, idOf(id), options)));

  actsOnMany(failures.command('retry').description('have parked orders try their step again, with fresh retries'))
    .addOption(new Option('--line1 <text>', 'corrected shipping address, for a single failure: all four parts'))
    .addOption(new Option('--city <text>'))
    .addOption(new Option('--postal-code <text>'))
    .addOption(new Option('--country <code>', 'ISO 3166-1, two letters'))
    .action((ids: string[], options: FilterOptions & BulkOptions & AddressOptions) =>
      connected(async (connections) => {
        const selection = selectionOf(idsOf(ids), options, filterOf(options));
        const shippingAddress = addressOf(options);
        const id = 'ids' in selection && selection.ids.length === 1 && !options.dryRun ? selection.ids[0] : undefined;
        if (id === undefined) {
          if (shippingAddress) throw new UsageError('A corrected address is for a single failure.');
          return await runBulk(connections, 'retry', selection, options);
        }
        const instruction = instructionOf(options);
        await confirm(`Retry ${id}`, options);
        const changes = shippingAddress ? { shippingAddress } : {};
        const { occurrence } = await requestRetry(connections.db, id, instruction, changes);
        print(options, { id, requested: 'retry', occurrence }, () => `${id} is being retried.`);
      }),
    );

  actsOnMany(failures.command('cancel').description('have parked orders give up, and undo what they did')).action(
    (ids: string[], options: FilterOptions & BulkOptions & { allMatching?: boolean }) =>
      connected(async (connections) => {
        const selection = selectionOf(idsOf(ids), options, filterOf(options));
        const id = 'ids' in selection && selection.ids.length === 1 && !options.dryRun ? selection.ids[0] : undefined;
        if (id === undefined) return await runBulk(connections, 'cancel', selection, options);
        const instruction = instructionOf(options);
        await confirm(`Cancel the order of ${id}, and undo what it did`, options);
        const { occurrence } = await requestCancel(connections.db, id, instruction);
        print(options, { id, requested: 'cancel', occurrence }, () => `The order of ${id} is being undone.`);
      }),
  );

  actsOnOne(failures.command('settle').description('record that it was dealt with by hand, outside')).action(
    (given: string, options: InstructionOptions & OutputOptions & { yes?: boolean }) =>
      connected(async ({ db }) => {
        const id = idOf(given);
        const instruction = instructionOf(options);
        await confirm(`Record ${id} as settled: "${instruction.reason}"`, options);
        await requestSettlement(db, id, instruction);
        print(options, { id, requested: 'settle' }, () => `${id} is recorded as settled.`);
      }),
  );

  actsOnOne(failures.command('reset').description('have a run go back to before a fault of its code, and on with the code at hand'))
    .addOption(
      new Option('--event <id>', 'the event to undo; by default the first failed workflow task').argParser(
        parseWith(z.coerce.number().int().positive()),
      ),
    )
    .action((given: string, options: InstructionOptions & OutputOptions & { yes?: boolean; event?: number }) =>
      connected(async ({ db }) => {
        const id = idOf(given);
        const instruction = instructionOf(options);
        await confirm(`Reset the run of ${id}`, options);
        await requestReset(db, id, instruction, options.event);
        print(options, { id, requested: 'reset' }, () => `The run of ${id} is being reset.`);
      }),
    );
}

interface PageOptions extends OutputOptions {
  limit: number;
  cursor?: string;
}

interface AddressOptions {
  allMatching?: boolean;
  line1?: string;
  city?: string;
  postalCode?: string;
  country?: string;
}

const actsOnOne = (command: Command): Command =>
  withInstruction(command.argument('<id>')).addOption(yesOption()).addOption(jsonOption());

const actsOnMany = (command: Command): Command =>
  withInstruction(withFilter(command.argument('[ids...]').option('--all-matching', 'all that match the filter')))
    .addOption(rateOption())
    .addOption(dryRunOption())
    .addOption(watchOption())
    .addOption(yesOption())
    .addOption(jsonOption());

const addressSchema = z.strictObject({
  line1: z.string().trim().min(1).max(200),
  city: z.string().trim().min(1).max(100),
  postalCode: z.string().trim().min(1).max(20),
  country: z.string().regex(/^[A-Z]{2}$/, 'must be two capital letters'),
});

function addressOf({ line1, city, postalCode, country }: AddressOptions) {
  const given = { line1, city, postalCode, country };
  if (Object.values(given).every((part) => part === undefined)) return undefined;
  const { success, data, error } = addressSchema.safeParse(given);
  if (success) return data;
  throw new UsageError(`The address is not complete: ${error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; ')}`);
}

async function list(db: Database, options: FilterOptions & PageOptions): Promise<void> {
  const filter = filterOf(options);
  const { limit, cursor } = options;
  const [rows, counts] = await Promise.all([listFailures(db, filter, { limit, cursor }), countFailures(db, filter)]);
  const { page, nextCursor } = cutPage(rows, limit);
  print(options, { data: page.map(failureView), nextCursor, counts }, () => listText(page, counts, nextCursor));
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
          `${rows.length} of ${all} shown. The next: --cursor ${nextCursor}`,
          ...counts.map(({ kind, step, errorType, count }) => `${String(count).padStart(7)}  ${kind} / ${step} / ${errorType}`),
        ]),
  ].join('\n');
}

async function show({ db, temporal: client }: Connections, id: string, options: OutputOptions): Promise<void> {
  const found = await readFailure(db, id);
  if (!found) throw notFound('failure');
  const { failure, events } = found;
  const { temporal, answer } = await askTemporal(client, () => describeRun(client, failure.workflowId));
  const pending = temporal === 'ok' ? (answer?.pendingActivities ?? []).map(pendingActivityView) : null;
  const story = { ...failureView(failure), events: events.map(failureEventView), pending, temporal };
  print(options, story, () => showText(failure, events, answer ?? undefined));
}

function showText(failure: Failure, events: FailureEvent[], run: RunState | undefined): string {
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
    table(['at', 'what', 'by', 'why'], events.map(({ at, type, actor, reason }) => [at, type, actor, shorten(reason, 100)]), ''),
    ...(pending && pending.length > 0 ? ['', table(['activity', 'attempt', 'next', 'last failure'], pending, '')] : []),
  ].join('\n');
}
