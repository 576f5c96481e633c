import { Option, type Command } from 'commander';
import { BULK_ACTION_OUTCOMES, BULK_ACTION_TYPES, type BulkActionOutcome, type BulkActionType } from '../contracts/bulk-actions.ts';
import { cancelBulkAction, pauseBulkAction, resumeBulkAction } from '../operate/bulk-actions.ts';
import { nameOf, readActorNames, type ActorNames } from '../queries/actor-names.ts';
import type { BulkActionNextStep } from '../queries/bulk-action-summary.ts';
import { listBulkActionItems, listBulkActions, type BulkActionWithProgress } from '../queries/bulk-actions.ts';
import { bulkActionItemView, bulkActionView, loadBulkAction, type BulkActionView } from '../views/bulk-action.ts';
import { cutPage } from '../views/page.ts';
import { addAction, withBulkOptions } from './action.ts';
import { runBulkAction, selectionOf, type BulkOptions } from './bulk.ts';
import { connected, type Connections } from './connections.ts';
import {
  cursorOption,
  filterOf,
  idOf,
  idsOf,
  jsonOption,
  limitOption,
  type FilterOptions,
  type PageOptions,
} from './options.ts';
import { facts, print, shorten, table, type OutputOptions } from './output.ts';
import { watchBulkAction } from './watch.ts';

const load = ({ db, links }: Connections, id: string) => loadBulkAction(db, links, id);

/** `ops bulk-actions`: acting on many at a limited rate. */
export function addBulkActions(program: Command): void {
  const bulkActions = program.command('bulk-actions').description('Acts on many failures or orders, at a limited rate.');

  withBulkOptions(
    bulkActions
      .command('start')
      .description('Acts on failures (retry, cancel) or failed orders (restart), by id or by filter.')
      .addOption(new Option('--action <action>').choices(BULK_ACTION_TYPES).makeOptionMandatory())
      .option('--failed-again-in <id>', 'what failed again in an earlier bulk action'),
  ).action((ids: string[], options: FilterOptions & BulkOptions & { action: BulkActionType }) =>
    connected((connections) =>
      runBulkAction(connections, options.action, selectionOf(idsOf(ids), options, filterOf(options)), options),
    ),
  );

  bulkActions
    .command('list')
    .description('Lists bulk actions, newest first.')
    .addOption(limitOption(20))
    .addOption(cursorOption())
    .addOption(jsonOption())
    .action((options: PageOptions) =>
      connected(async ({ db, links }) => {
        const found = await listBulkActions(db, options);
        const { page, nextCursor } = cutPage(found, options.limit, ({ bulkAction }) => bulkAction.id);
        const data = page.map((one) => bulkActionView(one, links));
        const names = await readActorNames(db, page.map(({ bulkAction }) => bulkAction.actor));
        print(options, { data, nextCursor }, () => listText(page, names));
      }),
    );

  bulkActions
    .command('show')
    .description('Shows a bulk action, and the outcome of each item.')
    .argument('<id>')
    .addOption(new Option('--outcome <outcome>').choices(BULK_ACTION_OUTCOMES))
    .addOption(limitOption(50))
    .addOption(jsonOption())
    .action((given: string, options: OutputOptions & { limit: number; outcome?: BulkActionOutcome }) =>
      connected(async (connections) => {
        const id = idOf(given);
        const bulkAction = await load(connections, id);
        const found = await listBulkActionItems(connections.db, id, options);
        const items = found.slice(0, options.limit).map(bulkActionItemView);
        const names = await readActorNames(connections.db, [bulkAction.actor]);
        print(options, { ...bulkAction, items }, () => showText(bulkAction, items, names));
      }),
    );

  addAction(bulkActions, { verb: 'pause', action: pauseBulkAction, load });
  addAction(bulkActions, { verb: 'resume', action: resumeBulkAction, load });
  addAction(bulkActions, { verb: 'cancel', action: cancelBulkAction, load });

  bulkActions
    .command('watch')
    .description('Follows a bulk action to its end.')
    .argument('<id>')
    .addOption(jsonOption())
    .action((given: string, options: OutputOptions) =>
      connected((connections) => watchBulkAction(connections, idOf(given), options)),
    );
}

const listText = (found: BulkActionWithProgress[], names: ActorNames): string =>
  table(
    ['id', 'action', 'state', 'processed', 'succeeded', 'failed again', 'cancelled', 'skipped', 'waiting', 'started', 'by', 'why'],
    found.map(({ bulkAction: { id, action, state, createdAt, actor, reason }, progress }) => [
      id,
      action,
      state,
      `${progress.total - progress.pending}/${progress.total}`,
      progress.succeeded,
      progress.failedAgain,
      progress.cancelled,
      progress.skipped,
      progress.waiting,
      createdAt,
      nameOf(actor, names),
      shorten(reason, 60),
    ]),
    'No bulk actions yet.',
  );

/** @returns the command for the dry run of the next step */
const againCommand = ({ request: { action, failedAgainIn } }: BulkActionNextStep): string =>
  `npm run ops -- bulk-actions start --action ${action} --failed-again-in ${failedAgainIn} --dry-run`;

function showText(bulkAction: BulkActionView, items: ReturnType<typeof bulkActionItemView>[], names: ActorNames): string {
  const { id, action, state, ratePerSecond, actor, reason, createdAt, finishedAt, pauseReason, progress, next } = bulkAction;
  const rows = items.map(({ position, orderId, signupId, failureId, outcome, actedAt, message }) => [
    position + 1,
    orderId ?? signupId,
    failureId,
    outcome,
    actedAt,
    message,
  ]);
  return [
    facts({
      id,
      action,
      state,
      processed: `${progress.total - progress.pending} of ${progress.total}, ${ratePerSecond} per second`,
      succeeded: progress.succeeded,
      'failed again': progress.failedAgain,
      cancelled: progress.cancelled,
      skipped: progress.skipped,
      waiting: progress.waiting,
      'paused because': pauseReason,
      by: nameOf(actor, names),
      why: reason,
      started: createdAt,
      ended: finishedAt,
      next: next && `${next.label}: ${againCommand(next)}`,
    }),
    '',
    table(['', 'about', 'failure', 'outcome', 'acted on', 'why'], rows, 'No such items.'),
  ].join('\n');
}
