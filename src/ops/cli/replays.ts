import { Option, type Command } from 'commander';
import { REPLAY_ACTIONS, type ReplayAction } from '../../contracts/failures.ts';
import { notFound } from '../../intake/errors.ts';
import { changeReplay, ITEM_OUTCOMES, type ItemOutcome } from '../../intake/replays.ts';
import { listReplayItems, listReplays, readReplay, type ReplayState } from '../replays.ts';
import { runBulk, selectionOf, type BulkOptions } from './bulk.ts';
import { confirm } from './confirm.ts';
import { connected } from './connections.ts';
import {
  cursorOption,
  dryRunOption,
  filterOf,
  idOf,
  idsOf,
  instructionOf,
  jsonOption,
  limitOption,
  rateOption,
  watchOption,
  withFilter,
  withInstruction,
  yesOption,
  type FilterOptions,
  type InstructionOptions,
} from './options.ts';
import { facts, print, shorten, table, type OutputOptions } from './output.ts';
import { cutPage, replayView } from './views.ts';
import { watchReplay } from './watch.ts';

/** `ops replays`: acting on many at a bounded rate. */
export function addReplays(program: Command): void {
  const replays = program.command('replays').description('bulk replays: acting on many at a bounded rate');

  withInstruction(
    withFilter(
      replays
        .command('start')
        .description('act on the failures (retry, cancel) or the failed orders (replay) that are named or match')
        .argument('[ids...]')
        .addOption(new Option('--action <action>').choices(REPLAY_ACTIONS).makeOptionMandatory())
        .option('--all-matching', 'all that match the filter'),
    ),
  )
    .addOption(rateOption())
    .addOption(dryRunOption())
    .addOption(watchOption())
    .addOption(yesOption())
    .addOption(jsonOption())
    .action((ids: string[], options: FilterOptions & BulkOptions & { action: ReplayAction; allMatching?: boolean }) =>
      connected((connections) =>
        runBulk(connections, options.action, selectionOf(idsOf(ids), options, filterOf(options)), options),
      ),
    );

  replays
    .command('list')
    .description('show bulk replays, the newest first')
    .addOption(limitOption(20))
    .addOption(cursorOption())
    .addOption(jsonOption())
    .action((options: OutputOptions & { limit: number; cursor?: string }) =>
      connected(async ({ db }) => {
        const found = await listReplays(db, options);
        const { page, nextCursor } = cutPage(found.map(replayView), options.limit);
        print(options, { data: page, nextCursor }, () => listText(page));
      }),
    );

  replays
    .command('show')
    .description('show a bulk replay, and what became of each item')
    .argument('<id>')
    .addOption(new Option('--outcome <outcome>').choices(ITEM_OUTCOMES))
    .addOption(limitOption(50))
    .addOption(jsonOption())
    .action((given: string, options: OutputOptions & { limit: number; outcome?: ItemOutcome }) =>
      connected(async ({ db }) => {
        const id = idOf(given);
        const found = await readReplay(db, id);
        if (!found) throw notFound('bulk replay');
        const items = (await listReplayItems(db, id, options)).slice(0, options.limit);
        const rows = items.map(({ position, orderId, failureId, outcome, actedAt, message }) => [
          position + 1,
          orderId,
          failureId,
          outcome,
          actedAt,
          message,
        ]);
        print(options, { ...replayView(found), items }, () =>
          [
            showText(found),
            '',
            table(['', 'order', 'failure', 'outcome', 'acted on', 'why refused'], rows, 'It has no such items.'),
          ].join('\n'),
        );
      }),
    );

  changes(replays, 'pause', 'paused', 'stop acting, until it is resumed');
  changes(replays, 'resume', 'running', 'go on');
  changes(replays, 'cancel', 'cancelled', 'leave the rest undone; what was asked for goes on');

  replays
    .command('watch')
    .description('follow a bulk replay to its end')
    .argument('<id>')
    .addOption(jsonOption())
    .action((given: string, options: OutputOptions) => connected(({ db }) => watchReplay(db, idOf(given), options)));
}

function changes(replays: Command, verb: string, state: 'paused' | 'running' | 'cancelled', description: string): void {
  withInstruction(replays.command(verb).description(description).argument('<id>'))
    .addOption(yesOption())
    .addOption(jsonOption())
    .action((given: string, options: InstructionOptions & OutputOptions & { yes?: boolean }) =>
      connected(async ({ db }) => {
        const id = idOf(given);
        const instruction = instructionOf(options);
        await confirm(`${verb} the bulk replay ${id}`, options);
        await changeReplay(db, id, state, instruction);
        print(options, { id, state }, () => `The bulk replay is ${state}.`);
      }),
    );
}

const listText = (replays: ReturnType<typeof replayView>[]): string =>
  table(
    ['id', 'action', 'state', 'acted on', 'mended', 'failed again', 'refused', 'begun', 'by', 'why'],
    replays.map(({ id, action, state, createdAt, actor, reason, progress }) => [
      id,
      action,
      state,
      `${progress.total - progress.pending}/${progress.total}`,
      progress.succeeded,
      progress.failedAgain,
      progress.refused,
      createdAt,
      actor,
      shorten(reason, 60),
    ]),
    'There are no bulk replays.',
  );

const showText = ({ replay, progress }: ReplayState): string =>
  facts({
    id: replay.id,
    action: replay.action,
    state: replay.state,
    'acted on': `${progress.total - progress.pending} of ${progress.total}, ${replay.ratePerSecond} per second`,
    mended: progress.succeeded,
    'failed again': progress.failedAgain,
    refused: progress.refused,
    by: replay.actor,
    why: replay.reason,
    begun: replay.createdAt,
    ended: replay.finishedAt,
  });
