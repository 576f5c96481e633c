import type { BulkActionOutcome, BulkActionState } from '../../contracts/bulk-actions.ts';
import type { AttemptEventType, CancellationStatus, CommandState, DisputeStatus, FailureStatus, OrderStatus, RefundStatus, SignupStatus } from '../../contracts/statuses.ts';
import type { OrderStory } from '../../queries/order-story.ts';
import type { ServiceState, WorkerState } from '../../contracts/health.ts';
import type { PartHealth } from '../environment.ts';
import { capital, words } from './format.tsx';

/** How a status is meant. Each has a shape of its own as well as a colour. */
export type Tone = 'good' | 'busy' | 'warn' | 'bad' | 'quiet';

const SHAPES: Record<Tone, string> = { good: '✓', busy: '◔', warn: '▲', bad: '✕', quiet: '–' };

/** Every status that the page shows. */
export type AnyStatus =
  | OrderStatus
  | CancellationStatus
  | SignupStatus
  | FailureStatus
  | CommandState
  | RefundStatus
  | DisputeStatus
  | BulkActionState
  | BulkActionOutcome
  | AttemptEventType
  | OrderStory['steps' | 'payments' | 'shipments'][number]['state']
  | PartHealth
  | ServiceState
  | WorkerState
  | ScheduleStatus
  | BookStatus;

type BookStatus = 'equal' | 'differs' | 'not_checked';

type ScheduleStatus = 'active' | 'paused' | 'missing';

/** The same word has the same tone wherever it is shown. */
export const TONES: Record<AnyStatus, Tone> = {
  // orders
  accepted: 'busy',
  reserved: 'busy',
  awaiting_approval: 'warn',
  charged: 'busy',
  fulfilling: 'busy',
  shipped: 'busy',
  completed: 'good',
  needs_attention: 'bad',
  compensating: 'warn',
  cancelled: 'quiet',
  failed: 'bad',
  // cancellations
  requested: 'busy',
  // signups
  pending_verification: 'busy',
  verified: 'busy',
  trial: 'busy',
  subscribed: 'good',
  expired: 'quiet',
  ended: 'quiet',
  // failures
  open: 'bad',
  retrying: 'busy',
  resolved: 'good',
  settled: 'good',
  // steps and their attempts
  started: 'busy',
  running: 'busy',
  exhausted: 'bad',
  refused: 'warn',
  done: 'good',
  interrupted: 'warn',
  undone: 'quiet',
  // checks of the books
  equal: 'good',
  differs: 'bad',
  not_checked: 'warn',
  // bulk actions and their items
  paused: 'warn',
  pending: 'busy',
  waiting: 'busy',
  failed_again: 'bad',
  skipped: 'warn',
  // payments and parcels
  captured: 'good',
  declined: 'warn',
  refunded: 'quiet',
  requires_action: 'warn',
  succeeded: 'good',
  canceled: 'warn',
  // disputes
  warning_needs_response: 'warn',
  warning_under_review: 'busy',
  warning_closed: 'good',
  needs_response: 'bad',
  under_review: 'busy',
  appeal_needs_response: 'bad',
  appeal_under_review: 'busy',
  won: 'good',
  lost: 'bad',
  prevented: 'good',
  delivered: 'good',
  rejected: 'bad',
  // commands
  set_aside: 'bad',
  discarded: 'quiet',
  // schedules
  active: 'good',
  missing: 'bad',
  // parts
  ok: 'good',
  failing: 'bad',
  'not answering': 'bad',
  not_polling: 'bad',
  gone: 'bad',
};

/** A status as a word, a shape and a colour. */
export const Status = ({ of }: { of: AnyStatus }) => (
  <span class={`status ${TONES[of]}`}>
    <span aria-hidden="true">{SHAPES[TONES[of]]}</span> {of === 'ok' ? 'OK' : capital(words(of))}
  </span>
);
