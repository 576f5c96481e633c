import type { Command } from 'commander';
import { recordOperatorAction } from '../../intake/audit.ts';
import { notFound } from '../../intake/errors.ts';
import { requestReplay } from '../../intake/failure-actions.ts';
import { requestCancellation } from '../../intake/orders.ts';
import { tellOrder, type OrderStory, type ToldOrder } from '../order-story.ts';
import { runBulk, selectionOf, type BulkOptions } from './bulk.ts';
import { confirm } from './confirm.ts';
import { connected } from './connections.ts';
import {
  dryRunOption,
  filterOf,
  idOf,
  idsOf,
  instructionOf,
  jsonOption,
  rateOption,
  watchOption,
  withFilter,
  withInstruction,
  yesOption,
  type FilterOptions,
  type InstructionOptions,
} from './options.ts';
import { facts, print, shorten, sumsText, table, type OutputOptions } from './output.ts';
import { failureEventView, failureView, pendingActivityView } from './views.ts';

/** `ops orders`: one order's story, and what can be done about it. */
export function addOrders(program: Command): void {
  const orders = program.command('orders').description('orders');

  orders
    .command('show')
    .description('show the whole story of an order, and why it waits')
    .argument('<id>')
    .addOption(jsonOption())
    .action((given: string, options: OutputOptions) =>
      connected(async ({ db, temporal: client }) => {
        const told = await tellOrder({ db, client }, idOf(given));
        if (!told) throw notFound('order');
        print(options, storyView(told), () => storyText(told));
      }),
    );

  withInstruction(
    withFilter(
      orders
        .command('replay')
        .description('start orders that ended as failed anew, as their next generation')
        .argument('[ids...]')
        .option('--all-matching', 'all failed orders that match --error-type, --order, --customer-email, --from and --to'),
    ),
  )
    .addOption(rateOption())
    .addOption(dryRunOption())
    .addOption(watchOption())
    .addOption(yesOption())
    .addOption(jsonOption())
    .action((ids: string[], options: FilterOptions & BulkOptions & { allMatching?: boolean }) =>
      connected(async (connections) => {
        const selection = selectionOf(idsOf(ids), options, filterOf(options));
        const id = 'ids' in selection && selection.ids.length === 1 && !options.dryRun ? selection.ids[0] : undefined;
        if (id === undefined) return await runBulk(connections, 'replay', selection, options);
        const instruction = instructionOf(options);
        await confirm(`Start the order ${id} anew`, options);
        const { generation } = await requestReplay(connections.db, id, instruction);
        print(options, { id, requested: 'replay', generation }, () => `${id} starts anew, as generation ${generation}.`);
      }),
    );

  withInstruction(
    orders.command('cancel').description('cancel an order that is not with the carrier yet').argument('<id>'),
  )
    .addOption(yesOption())
    .addOption(jsonOption())
    .action((given: string, options: InstructionOptions & OutputOptions & { yes?: boolean }) =>
      connected(async ({ db }) => {
        const id = idOf(given);
        const instruction = instructionOf(options);
        await confirm(`Cancel the order ${id}, and undo what it did`, options);
        await db.transaction(async (tx) => {
          await recordOperatorAction(tx, instruction, 'cancel_order', id);
          await requestCancellation(tx, OPERATOR, id, instruction.reason, instruction.actor);
        });
        print(options, { id, requested: 'cancel' }, () => `${id} is being cancelled.`);
      }),
    );
}

/** Who has the database may do what an operator may. */
const OPERATOR = { keyId: 'cli', role: 'operator' } as const;

const storyView = ({ story, run, temporal, waitingFor }: ToldOrder) => ({
  ...story,
  steps: story.steps.map(({ errorType, errorMessage, ...step }) => ({
    ...step,
    error: errorType === null ? null : { type: errorType, message: errorMessage ?? '' },
  })),
  failures: story.failures.map(({ failure, events }) => ({ ...failureView(failure), events: events.map(failureEventView) })),
  run: run && {
    runId: run.runId,
    status: run.status,
    startedAt: run.startedAt,
    closedAt: run.closedAt ?? null,
    workflowTaskAttempt: run.workflowTaskAttempt,
    pending: run.pendingActivities.map(pendingActivityView),
  },
  temporal,
  waitingFor,
});

function storyText({ story, run, temporal, waitingFor }: ToldOrder): string {
  const { order, steps, failures } = story;
  const trouble = failures.map(({ failure: { id, status, kind, step, errorType, errorMessage } }) => [
    id,
    status,
    `${kind} ${step}`,
    shorten(`${errorType}: ${errorMessage}`, 80),
  ]);
  return [
    facts({
      order: order.id,
      status: order.status,
      'why it waits': waitingFor,
      total: sumsText([order]),
      kept: sumsText(story.payments.map(({ currency, captured, refunded }) => ({ currency, amount: captured - refunded }))),
      customer: order.customerEmail,
      generation: order.generation,
      'ended with': order.failureType && `${order.failureType}: ${order.failureMessage ?? ''}`,
      accepted: order.createdAt,
      run: run ? `${run.runId} (${run.status})` : temporal === 'ok' ? 'none' : 'Temporal does not answer',
    }),
    '',
    table(
      ['step', 'generation', 'state', 'attempts', 'from', 'to', 'error'],
      steps.map(({ step, kind, generation, state, attempts, startedAt, finishedAt, errorType }) => [
        kind === 'step' ? step : `undo ${step}`,
        generation,
        state,
        attempts,
        startedAt,
        finishedAt,
        errorType,
      ]),
      'No step has been taken.',
    ),
    '',
    table(['at', 'what', ''], happenings(story), 'Nothing has happened.'),
    ...(trouble.length > 0 ? ['', table(['failure', 'status', 'what', 'error'], trouble, '')] : []),
  ].join('\n');
}

/** What happened, in the order of time. */
function happenings({ statuses, emails, commands, failures }: OrderStory): [Date, string, string][] {
  const all: [Date, string, string][] = [
    ...statuses.map(({ at, status }): [Date, string, string] => [at, 'status', status]),
    ...emails.map(({ sentAt, template }): [Date, string, string] => [sentAt, 'email', template]),
    ...commands.map(({ createdAt, type, state, actor, reason }): [Date, string, string] => [
      createdAt,
      'command',
      [type, state === 'delivered' ? undefined : state, actor, reason].filter(Boolean).join(', '),
    ]),
    ...failures.flatMap(({ failure, events }) =>
      events.map(({ at, type, actor, reason }): [Date, string, string] => [
        at,
        `failure of ${failure.step}`,
        shorten(`${type} by ${actor}: ${reason}`, 100),
      ]),
    ),
  ];
  return all.toSorted(([one], [other]) => one.getTime() - other.getTime());
}
