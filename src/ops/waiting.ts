import { z } from 'zod';
import type { OrderPolicy, SignupPolicy } from '../contracts/messages.ts';
import type { OrderStatus, SignupStatus } from '../contracts/statuses.ts';
import type { CommandRecord } from './commands.ts';
import type { FailureStory } from './failures.ts';
import type { OrderStory } from './order-story.ts';
import type { PendingActivity, RunState } from './runs.ts';
import type { SignupStory } from './signup-story.ts';

/** In ms. */
export type OrderDeadlines = Pick<OrderPolicy, 'approvalDeadline' | 'parkingDeadline' | 'deliveryDeadline'>;
export type SignupDeadlines = Pick<SignupPolicy, 'verificationDeadline'>;

const orderInput = z.object({
  policy: z.object({ approvalDeadline: z.number(), parkingDeadline: z.number(), deliveryDeadline: z.number() }),
});
const signupInput = z.object({ policy: z.object({ verificationDeadline: z.number() }) });

/** @param input what the run of an order was started with @returns the deadlines that it lives by, when they can be read */
export const orderDeadlines = (input: unknown): OrderDeadlines | undefined => orderInput.safeParse(input).data?.policy;

/** @param input what the run of a signup was started with @returns the deadlines that it lives by, when they can be read */
export const signupDeadlines = (input: unknown): SignupDeadlines | undefined => signupInput.safeParse(input).data?.policy;

/** What Temporal says of a run; nothing while it is away, or once it has forgotten the run. */
interface Seen<Deadlines> {
  run?: RunState | undefined;
  deadlines?: Deadlines | undefined;
}

/** @returns a sentence that says what an order waits for, or null when it has ended */
export function whyOrderWaits(story: OrderStory, { run, deadlines }: Seen<OrderDeadlines>): string | null {
  if (ENDED.includes(story.order.status)) return null;
  return (
    troubleOf(story, run) ??
    parking(story, deadlines) ??
    undelivered(story.commands) ??
    trying(run) ??
    retryingStep(story) ??
    ORDER_WAITS[story.order.status](story, deadlines)
  );
}

/** @returns a sentence that says what a signup waits for, or null when it has ended */
export function whySignupWaits(story: SignupStory, { run, deadlines }: Seen<SignupDeadlines>): string | null {
  const { status, createdAt, trialEndsAt } = story.signup;
  const waits: Record<SignupStatus, () => string | null> = {
    pending_verification: () =>
      `It waits for the address to be verified${by(createdAt, deadlines?.verificationDeadline, 'it expires')}.`,
    verified: () => 'The address is verified; the trial is about to begin.',
    trial: () => `The trial runs${trialEndsAt ? ` until ${clock(trialEndsAt)}` : ''}; it waits for a subscription.`,
    subscribed: () => null,
    expired: () => null,
    ended: () => null,
  };
  const sentence = waits[status]();
  if (sentence === null) return null;
  return troubleOf(story, run) ?? undelivered(story.commands) ?? trying(run) ?? sentence;
}

const ENDED: readonly OrderStatus[] = ['completed', 'cancelled', 'failed'];

/** @returns e.g. `2026-03-01 14:05 UTC` */
const clock = (date: Date): string => `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;

const by = (start: Date | undefined, deadline: number | undefined, otherwise: string): string =>
  start && deadline !== undefined ? `; otherwise ${otherwise} at ${clock(new Date(start.getTime() + deadline))}` : '';

const because = ({ failure }: FailureStory): string => `${failure.errorType}: ${failure.errorMessage}`;

/** What no waiting mends: a fault in the code, or an undoing that does not get through. */
function troubleOf({ failures }: { failures: FailureStory[] }, run: RunState | undefined): string | undefined {
  const open = (kind: string) => failures.findLast(({ failure }) => failure.kind === kind && failure.status === 'open');
  const broken = open('run');
  if (broken) return `Its run is broken (${because(broken)}). Mend the code, then reset it.`;
  const command = open('command');
  if (command) return `What it was told could not be delivered (${because(command)}).`;
  if (run && run.workflowTaskAttempt > 1) {
    return `The workflow's own code fails: attempt ${run.workflowTaskAttempt}. It goes on by itself once the code is mended.`;
  }
  const undoing = open('compensation');
  if (!undoing) return undefined;
  const { step, nextRetryAt } = undoing.failure;
  const next = nextRetryAt ? ` Next attempt at ${clock(nextRetryAt)}.` : '';
  return `Undoing the step "${step}" does not get through (${because(undoing)}). It goes on trying; it can be settled by hand.${next}`;
}

function parking({ order, failures }: OrderStory, deadlines: OrderDeadlines | undefined): string | undefined {
  if (order.status !== 'needs_attention') return undefined;
  const parked = failures.findLast(({ failure }) => failure.kind === 'step' && failure.generation === order.generation);
  if (!parked) return undefined;
  const { failure, events } = parked;
  if (failure.status === 'retrying') return `A retry of the step "${failure.step}" was asked for and is on its way.`;
  if (failure.status !== 'open') return undefined;
  if (events.at(-1)?.type === 'cancel_requested') return 'Its cancellation was asked for and is on its way.';
  return (
    `The step "${failure.step}" has used up its retries (${because(parked)}; ${failure.attempts} attempts). ` +
    `It waits for a retry or a cancellation${by(failure.lastSeenAt, deadlines?.parkingDeadline, 'it is undone')}.`
  );
}

function undelivered(commands: CommandRecord[]): string | undefined {
  const first = commands.find(({ state }) => state === 'pending');
  if (!first) return undefined;
  const { type, createdAt } = first;
  return type.startsWith('start_')
    ? `It waits to be started, since ${clock(createdAt)}: a worker has to be running, and Temporal with it.`
    : `It waits for "${type}" to be delivered, since ${clock(createdAt)}.`;
}

function trying(run: RunState | undefined): string | undefined {
  const pending = run?.pendingActivities.find(({ lastFailure }) => lastFailure !== undefined);
  return pending && retryOf(pending);
}

function retryOf({ activity, attempt, maximumAttempts, lastFailure, nextAttemptAt }: PendingActivity): string {
  const of = maximumAttempts === undefined ? '' : ` of ${maximumAttempts}`;
  const next = nextAttemptAt ? `, next at ${clock(nextAttemptAt)}` : '';
  return `"${activity}" is tried again: attempt ${attempt}${of}${next} (${lastFailure?.type}: ${lastFailure?.message}).`;
}

/** The same, from Postgres: for when Temporal is away. */
function retryingStep({ order, steps }: OrderStory): string | undefined {
  const step = steps.findLast(({ state, generation }) => state === 'retrying' && generation === order.generation);
  if (!step) return undefined;
  const what = step.kind === 'compensation' ? `Undoing the step "${step.step}"` : `The step "${step.step}"`;
  return `${what} is tried again, after ${step.attempts} attempts (${step.errorType}: ${step.errorMessage}).`;
}

const since = ({ statuses }: OrderStory, status: OrderStatus): Date | undefined =>
  statuses.findLast((event) => event.status === status)?.at;

/** What an order waits for when nothing is wrong. */
const ORDER_WAITS: Record<OrderStatus, (story: OrderStory, deadlines: OrderDeadlines | undefined) => string | null> = {
  accepted: () => 'The stock is being reserved.',
  awaiting_approval: (story, deadlines) =>
    `It waits for a person to approve it${by(since(story, 'awaiting_approval'), deadlines?.approvalDeadline, 'it is rejected')}.`,
  reserved: () => 'The payment is being charged.',
  charged: () => 'It is being handed to the warehouse.',
  fulfilling: ({ failures }) =>
    failures.some(({ failure }) => failure.kind === 'late_shipment' && failure.status === 'open')
      ? 'The warehouse has it and is late in handing it to a carrier. Ask the warehouse.'
      : 'The warehouse has it; it waits for the carrier to take it.',
  shipped: (story, deadlines) =>
    `It is on its way; it waits for the delivery${by(since(story, 'shipped'), deadlines?.deliveryDeadline, 'it counts as delivered')}.`,
  needs_attention: () => 'It waits for a person.',
  compensating: () => 'What was done is being undone.',
  completed: () => null,
  cancelled: () => null,
  failed: () => null,
};
