import { z } from 'zod';
import { withoutStop } from '../contracts/sentences.ts';
import { FINAL_ORDER_STATUSES, type OrderStatus, type SignupStatus } from '../contracts/statuses.ts';
import type { PendingActivity, RunState } from '../temporal/runs.ts';
import type { FailureStory } from './failures.ts';
import type { OrderStory } from './order-story.ts';
import type { SignupStory } from './signup-story.ts';
import type { SharedStory } from './story.ts';

/** What Temporal knows of a run; empty while it is away, or once it has forgotten the run. */
export interface Seen {
  run?: RunState | undefined;
  /** The arguments that the run was started with: it lives by the deadlines in them, whatever the configuration says now. */
  input?: unknown;
}

/** In ms. */
const orderDeadlines = z.object({
  policy: z.object({ approvalDeadline: z.number(), parkingDeadline: z.number(), deliveryDeadline: z.number() }),
});
const signupDeadlines = z.object({ policy: z.object({ verificationDeadline: z.number() }) });

type OrderDeadlines = z.infer<typeof orderDeadlines>['policy'] | undefined;

/** @returns a sentence that says what an order is waiting for, or null when it has ended */
export function whyOrderWaits(story: OrderStory, { run, input }: Seen): string | null {
  const { status } = story.order;
  if (FINAL_ORDER_STATUSES.includes(status)) return null;
  const deadlines = orderDeadlines.safeParse(input).data?.policy;
  return (
    troubleOf(story, run) ??
    (isCancelling(story) ? undefined : parking(story, deadlines)) ??
    undelivered(story) ??
    retryingActivity(run) ??
    (isCancelling(story) ? 'A cancellation was requested. It takes effect unless the parcel has left.' : undefined) ??
    retryingStep(story) ??
    ORDER_WAITS[status](story, deadlines)
  );
}

/** @returns a sentence that says what a signup is waiting for, or null when it has ended */
export function whySignupWaits(story: SignupStory, { run, input }: Seen): string | null {
  const sentence = SIGNUP_WAITS[story.signup.status](story, signupDeadlines.safeParse(input).data?.policy.verificationDeadline);
  return sentence && (troubleOf(story, run) ?? undelivered(story) ?? retryingActivity(run) ?? sentence);
}

/** @returns e.g. `2026-03-01 14:05 UTC` */
const clock = (date: Date): string => `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;

const otherwise = (start: Date | undefined, deadline: number | undefined, what: string): string =>
  start && deadline !== undefined ? ` Otherwise ${what} at ${clock(new Date(start.getTime() + deadline))}.` : '';

const because = ({ failure }: FailureStory): string => why(failure.errorType, failure.errorMessage);

const why = (type: string | null | undefined, message: string | null | undefined): string => `${type}: ${withoutStop(message ?? '')}`;

/** What waiting does not fix: a bug, or a compensation that keeps failing. */
function troubleOf({ failures }: SharedStory, run: RunState | undefined): string | undefined {
  const open = (kind: string) => failures.findLast(({ failure }) => failure.kind === kind && failure.status === 'open');
  const broken = open('run');
  if (broken) return `The run is broken (${because(broken)}). Fix the code, then reset the run.`;
  const command = open('command');
  if (command) return `A command could not be delivered (${because(command)}).`;
  if (run && run.workflowTaskAttempt > 1) {
    return `The workflow code is failing: attempt ${run.workflowTaskAttempt}. The run continues by itself once the code is fixed.`;
  }
  const compensation = open('compensation');
  if (!compensation) return undefined;
  const { step, nextRetryAt } = compensation.failure;
  const next = nextRetryAt ? ` Next attempt at ${clock(nextRetryAt)}.` : '';
  return `Undoing the step "${step}" keeps failing (${because(compensation)}). It is retried until it succeeds or is settled by hand.${next}`;
}

const isCancelling = ({ order }: OrderStory): boolean => order.cancellationStatus === 'requested' && order.status !== 'compensating';

function parking({ order, failures }: OrderStory, deadlines: OrderDeadlines): string | undefined {
  if (order.status !== 'needs_attention') return undefined;
  const parked = failures.findLast(({ failure }) => failure.kind === 'step' && failure.generation === order.generation);
  if (!parked) return undefined;
  const { failure, events } = parked;
  if (failure.status === 'retrying') return `A retry of the step "${failure.step}" was requested and is being delivered.`;
  if (failure.status !== 'open') return undefined;
  if (events.at(-1)?.type === 'cancel_requested') return 'A cancellation was requested and is being delivered.';
  return (
    `The step "${failure.step}" has used up its retries (${because(parked)}; ${failure.attempts} attempts). ` +
    `Waiting for a retry or a cancellation.${otherwise(failure.lastSeenAt, deadlines?.parkingDeadline, 'the order is undone')}`
  );
}

function undelivered({ commands }: SharedStory): string | undefined {
  const first = commands.find(({ state }) => state === 'pending');
  if (!first) return undefined;
  const { type, createdAt } = first;
  return type.startsWith('start_')
    ? `Waiting to be started since ${clock(createdAt)}. This needs Temporal and a running worker.`
    : `Waiting since ${clock(createdAt)} for the command "${type}" to be delivered.`;
}

function retryingActivity(run: RunState | undefined): string | undefined {
  const pending = run?.pendingActivities.find(({ lastFailure }) => lastFailure !== undefined);
  return pending && describeRetry(pending);
}

function describeRetry({ activity, attempt, maximumAttempts, lastFailure, nextAttemptAt }: PendingActivity): string {
  const of = maximumAttempts === undefined ? '' : ` of ${maximumAttempts}`;
  const next = nextAttemptAt ? `, next at ${clock(nextAttemptAt)}` : '';
  return `Retrying "${activity}": attempt ${attempt}${of}${next} (${why(lastFailure?.type, lastFailure?.message)}).`;
}

/** The same from Postgres, for when Temporal is away. */
function retryingStep({ order, steps }: OrderStory): string | undefined {
  const step = steps.findLast(({ state, generation }) => state === 'retrying' && generation === order.generation);
  if (!step) return undefined;
  const what = step.kind === 'compensation' ? `the undoing of the step "${step.step}"` : `the step "${step.step}"`;
  return `Retrying ${what} after ${step.attempts} attempts (${why(step.errorType, step.errorMessage)}).`;
}

const since = ({ statuses }: OrderStory, status: OrderStatus): Date | undefined =>
  statuses.findLast((event) => event.status === status)?.at;

/** A decision is recorded before its run hears of it. */
const decided = ({ order: { approvalDecision } }: OrderStory): string | undefined =>
  approvalDecision === null ? undefined : `Somebody has decided to ${approvalDecision} it. Its run is about to act on that.`;

const whyApproval = ({ order, steps }: OrderStory): string =>
  steps.find(({ step, kind, generation }) => step === 'reserve' && kind === 'step' && generation === order.generation)?.reason ??
  'The amount is above the threshold.';

/** What an order waits for when nothing is wrong. */
const ORDER_WAITS: Record<OrderStatus, (story: OrderStory, deadlines: OrderDeadlines) => string | null> = {
  accepted: () => 'Reserving the stock.',
  awaiting_approval: (story, deadlines) =>
    decided(story) ??
    `Waiting for a person to approve it. ${whyApproval(story)}${otherwise(since(story, 'awaiting_approval'), deadlines?.approvalDeadline, 'it is rejected')}`,
  reserved: () => 'Charging the payment.',
  charged: () => 'Handing the order to the warehouse.',
  fulfilling: ({ failures }) =>
    failures.some(({ failure }) => failure.kind === 'late_shipment' && failure.status === 'open')
      ? 'The warehouse is late in handing the parcel to a carrier. Ask the warehouse.'
      : 'Waiting for the carrier to collect the parcel.',
  shipped: (story, deadlines) =>
    `Waiting for the delivery.${otherwise(since(story, 'shipped'), deadlines?.deliveryDeadline, 'it counts as delivered')}`,
  needs_attention: () => 'Waiting for a person.',
  compensating: () => 'Undoing what was done.',
  completed: () => null,
  cancelled: () => null,
  failed: () => null,
};

/** What a signup waits for when nothing is wrong. */
const SIGNUP_WAITS: Record<SignupStatus, (story: SignupStory, verificationDeadline: number | undefined) => string | null> = {
  pending_verification: ({ signup }, verificationDeadline) =>
    `Waiting for the address to be verified.${otherwise(signup.createdAt, verificationDeadline, 'it expires')}`,
  verified: () => 'The address is verified. The trial is about to start.',
  trial: ({ signup: { trialEndsAt } }) =>
    `Waiting for a subscription.${trialEndsAt ? ` The trial ends at ${clock(trialEndsAt)}.` : ''}`,
  subscribed: () => null,
  expired: () => null,
  ended: () => null,
};
