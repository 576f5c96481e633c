import { isCall, LIVE_FAILURE_STATUSES, type CallKind } from '../contracts/statuses.ts';
import { attemptsOf, withLost, type AttemptEvent, type AttemptHistory } from './attempts.ts';
import type { Failure, FailureEvent, FailureStory } from './failures.ts';
import type { StepRecord } from './order-story.ts';

/** All attempts of one call. */
export interface CallHistory extends AttemptHistory {
  kind: CallKind;
  /** Whether it is being attempted, or will be retried. */
  isUnderWay: boolean;
  /** How many attempts there were, where more is known than the record has. */
  attempts: number;
  /** Of the latest attempt, if it is known to have failed. */
  errorType: string | null;
  errorMessage: string | null;
}

/** What is known of an order besides its record of attempts. */
interface Known {
  steps: readonly StepRecord[];
  failures: readonly FailureStory[];
}

/** @returns the calls among what was attempted for an order. They have no row of their own: their failures say how they are now */
export const callsAmong = (attempts: readonly AttemptHistory[], known: Known): CallHistory[] =>
  attempts.flatMap(({ kind, ...history }) => (isCall(kind) ? [READ[kind]({ ...history, kind }, known)] : []));

type Call = AttemptHistory & { kind: CallKind };

const READ: Record<CallKind, (call: Call, known: Known) => CallHistory> = { withdrawal: readWithdrawal, refund: readRefund };

/** A withdrawal is over once its step is being undone. A failure of that kind is about the compensation from then on. */
function readWithdrawal(call: Call, { steps, failures }: Known): CallHistory {
  const undo = steps.find(({ kind, step, generation }) => kind === 'compensation' && step === call.step && generation === call.generation);
  const isOurs = ({ kind, step, generation, status }: Failure) =>
    kind === 'compensation' && step === call.step && generation === call.generation && LIVE_FAILURE_STATUSES.includes(status);
  const live = undo ? undefined : failures.find(({ failure }) => isOurs(failure))?.failure;
  return {
    ...call,
    ...eventsOf(call, undo?.startedAt, live !== undefined),
    attempts: live?.attempts ?? 0,
    errorType: live?.errorType ?? null,
    errorMessage: live?.errorMessage ?? null,
  };
}

/** How a retry of a failure is over. */
const ENDS_RETRY: readonly FailureEvent['type'][] = ['reopened', 'resolved', 'cancelled', 'settled'];

/** A refund is asked for until its failure is closed or open again. The failure counts refunds that have failed, not attempts. */
function readRefund(call: Call, { failures }: Known): CallHistory {
  const ours = failures.filter(({ failure }) => failure.kind === 'refund' && failure.generation === call.generation);
  const last = call.events.at(-1);
  const over = ours.flatMap(({ events }) => events).find(({ type, at }) => last && at >= last.at && ENDS_RETRY.includes(type));
  const isRetrying = ours.some(({ failure }) => failure.status === 'retrying');
  return { ...call, ...eventsOf(call, over?.at, isRetrying), attempts: 0, errorType: null, errorMessage: null };
}

function eventsOf(call: Call, givenUpAt: Date | undefined, isRetrying: boolean): { events: AttemptEvent[]; isUnderWay: boolean } {
  const events = withLost(call.events, givenUpAt);
  return { events, isUnderWay: isRetrying || attemptsOf(events).some(({ end }) => !end) };
}
