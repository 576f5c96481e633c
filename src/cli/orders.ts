import type { Command } from 'commander';
import type { Caller } from '../contracts/caller.ts';
import { took } from '../contracts/duration-format.ts';
import { formatMoney } from '../contracts/money.ts';
import type { CallKind, StepKind } from '../contracts/statuses.ts';
import { approveOrder, cancelOrder, rejectOrder, restartOrder } from '../operate/orders.ts';
import { happened, leftOut, type AttemptEvent, type AttemptHistory, type LeftOut } from '../queries/attempts.ts';
import type { CallHistory } from '../queries/calls.ts';
import { nameOf, readActorNames, type ActorNames } from '../queries/actor-names.ts';
import type { OrderStory, StepRecord } from '../queries/order-story.ts';
import { actorsIn } from '../queries/story.ts';
import { loadOrderStory, type StoryWithRun } from '../queries/story-with-run.ts';
import { loadOrder } from '../views/order.ts';
import { orderStoryView } from '../views/story.ts';
import { addAction, addBulkableAction } from './action.ts';
import { connected, type Connections } from './connections.ts';
import { idOf, jsonOption } from './options.ts';
import { facts, print, shorten, sumsText, table, timeText, type OutputOptions } from './output.ts';

/** Whoever has the database may read what an operator may. */
const OPERATOR: Caller = { keyId: 'cli', role: 'operator' };

const load = ({ db, links }: Connections, id: string) => loadOrder(db, links, OPERATOR, id);

/** `ops orders`: one order's story, and what can be done about it. */
export function addOrders(program: Command): void {
  const orders = program.command('orders').description('Orders.');

  orders
    .command('show')
    .description('Shows the whole story of an order, and what it is waiting for.')
    .argument('<id>')
    .addOption(jsonOption())
    .action((given: string, options: OutputOptions) =>
      connected(async (connections) => {
        const id = idOf(given);
        const loaded = await loadOrderStory(connections, id);
        const view = orderStoryView(loaded, await load(connections, id), connections.links, OPERATOR);
        const { story } = loaded;
        const names = await readActorNames(connections.db, [story.order.cancellationActor, ...actorsIn(story)]);
        print(options, view, () => storyText(loaded, names));
      }),
    );

  addBulkableAction(orders, 'restart', { verb: 'restart', action: restartOrder, load });
  addAction(orders, { verb: 'cancel', action: cancelOrder, load });
  addAction(orders, { verb: 'approve', action: approveOrder, load });
  addAction(orders, { verb: 'reject', action: rejectOrder, load });
}

function storyText({ story, run, temporal, waitingFor }: StoryWithRun<OrderStory>, names: ActorNames): string {
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
      cancellation: order.cancellationStatus,
      'cancellation reason': order.cancellationReason,
      'cancellation requested': requestText(order, names),
      'cancellation settled': order.cancellationSettledAt,
      'ended with': order.failureType && `${order.failureType}: ${order.failureMessage ?? ''}`,
      accepted: order.createdAt,
      run: run ? `${run.runId} (${run.status})` : temporal === 'ok' ? 'none' : 'Temporal is not answering',
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
      'No steps yet.',
    ),
    '',
    table(['at', 'what', ''], happenings(story, names), 'Nothing yet.'),
    ...(trouble.length > 0 ? ['', table(['failure', 'status', 'what', 'error'], trouble, '')] : []),
  ].join('\n');
}

/** @returns when a cancellation was requested, and by whom if it is known */
function requestText({ cancellationRequestedAt: at, cancellationActor: actor }: OrderStory['order'], names: ActorNames): string | null {
  return at && [timeText(at), actor && `by ${nameOf(actor, names)}`].filter(Boolean).join(' ');
}

/** @returns e.g. `attempt 2 failed after 200 ms on 71@worker: warehouse_unavailable: The warehouse is unavailable (503).` */
function attemptText(of: Pick<AttemptHistory, 'kind' | 'step'>, event: AttemptEvent): string {
  const { durationMs, worker, errorType, errorMessage } = event;
  const after = durationMs === null ? undefined : `after ${took(durationMs)}`;
  const what = [happened(of, event), after, worker && `on ${worker}`].filter(Boolean).join(' ');
  return errorType ? shorten(`${what}: ${errorType}: ${errorMessage ?? ''}`, 140) : what;
}

/** @returns e.g. `400 more attempts, the latest: payment_unavailable: The payment provider is unavailable (503).` */
function moreText({ count, areLatest }: LeftOut, { errorType, errorMessage }: StepRecord | CallHistory): string {
  const attempts = count === 1 ? '1 more attempt' : `${count} more attempts`;
  return areLatest && errorType ? shorten(`${attempts}, the latest: ${errorType}: ${errorMessage ?? ''}`, 140) : attempts;
}

const NAMES: Record<StepKind | CallKind, string> = { step: 'step', compensation: 'undo', withdrawal: 'withdrawal', refund: 'refund' };

/** What happened, oldest first. */
function happenings({ statuses, cancellations, steps, emailAttempts, calls, payments, emails, commands, failures }: OrderStory, names: ActorNames): [Date, string, string][] {
  const all: [Date, string, string][] = [
    ...statuses.map(({ at, status }): [Date, string, string] => [at, 'status', status]),
    ...cancellations.map(({ at, cancellation }): [Date, string, string] => [at, 'cancellation', cancellation]),
    ...[...steps, ...calls].flatMap((attempted) => {
      const name = `${NAMES[attempted.kind]} ${attempted.step}`;
      const more = leftOut(attempted);
      return [
        ...attempted.events.map((event): [Date, string, string] => [event.at, name, attemptText(attempted, event)]),
        ...(more ? [[more.after, name, moreText(more, attempted)] satisfies [Date, string, string]] : []),
      ];
    }),
    // One that was sent is among the emails.
    ...emailAttempts.flatMap((email) =>
      email.events
        .filter(({ type }) => type !== 'done')
        .map((event): [Date, string, string] => [event.at, `email ${email.step}`, attemptText(email, event)]),
    ),
    ...payments.flatMap(({ currency, refunds, disputes }) => [
      ...refunds.map(({ updatedAt, amount, status }): [Date, string, string] => [
        updatedAt,
        'refund',
        `${formatMoney(amount, currency)} ${status}`,
      ]),
      ...disputes.map((dispute): [Date, string, string] => [
        dispute.reportedAt,
        'dispute',
        `${formatMoney(dispute.amount, dispute.currency)} ${dispute.status} (${dispute.reason})`,
      ]),
    ]),
    ...emails.map(({ sentAt, template, status }): [Date, string, string] => [
      sentAt,
      'email',
      status === 'sent' ? template : `${template}, ${status}`,
    ]),
    ...commands.map(({ createdAt, type, state, actor }): [Date, string, string] => [
      createdAt,
      'command',
      [type, state === 'delivered' ? undefined : state, actor && nameOf(actor, names)].filter(Boolean).join(', '),
    ]),
    ...failures.flatMap(({ failure, events }) =>
      events.map(({ at, type, actor, reason }): [Date, string, string] => [
        at,
        `failure of ${failure.step}`,
        shorten(`${type} by ${nameOf(actor, names)}: ${reason}`, 100),
      ]),
    ),
  ];
  return all.toSorted(([one], [other]) => one.getTime() - other.getTime());
}
