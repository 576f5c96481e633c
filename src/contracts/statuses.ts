/** The statuses of orders, signups, steps and failures. The database checks them, the API shows them. */

export const ORDER_STATUSES = [
  'accepted',
  'reserved',
  'awaiting_approval',
  'charged',
  'fulfilling',
  'shipped',
  'completed',
  'needs_attention',
  'compensating',
  'cancelled',
  'failed',
] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

/** What happens next to an order in each status. `moves on` takes seconds, the carrier takes days. */
type Next = 'moves on' | 'waits for the carrier' | 'waits for a person' | 'ended';

/** What happens next to an order in each status, and whether the customer may still cancel it. */
const ORDER_STATUS_FACTS: Record<OrderStatus, { next: Next; cancellable: boolean }> = {
  accepted: { next: 'moves on', cancellable: true },
  reserved: { next: 'moves on', cancellable: true },
  awaiting_approval: { next: 'waits for a person', cancellable: true },
  charged: { next: 'moves on', cancellable: true },
  fulfilling: { next: 'waits for the carrier', cancellable: true },
  shipped: { next: 'waits for the carrier', cancellable: false },
  completed: { next: 'ended', cancellable: false },
  needs_attention: { next: 'waits for a person', cancellable: true },
  compensating: { next: 'moves on', cancellable: false },
  cancelled: { next: 'ended', cancellable: false },
  failed: { next: 'ended', cancellable: false },
};

const orderStatusesWhere = (test: (facts: (typeof ORDER_STATUS_FACTS)[OrderStatus]) => boolean): readonly OrderStatus[] =>
  ORDER_STATUSES.filter((status) => test(ORDER_STATUS_FACTS[status]));

const BEFORE_CHARGE: readonly OrderStatus[] = ['accepted', 'reserved', 'awaiting_approval', 'needs_attention'];
const BEFORE_SHIPPING: readonly OrderStatus[] = ['accepted', 'reserved', 'awaiting_approval', 'charged', 'fulfilling'];
const NOT_ENDED = orderStatusesWhere(({ next }) => next !== 'ended');

const notEndedBut = (status: OrderStatus): readonly OrderStatus[] => NOT_ENDED.filter((other) => other !== status);

/**
 * The statuses that each status may replace. An order only moves forward, so that a write that comes late (from an attempt
 * that was given up, or from a run that was reset) changes nothing. Only a parked order returns to where it was. No status
 * replaces itself: a write whose answer was lost is repeated, and would be a second entry in the order's history.
 */
export const REPLACEABLE_ORDER_STATUSES: Record<OrderStatus, readonly OrderStatus[]> = {
  accepted: ['needs_attention'],
  reserved: ['accepted', 'awaiting_approval', 'needs_attention'],
  awaiting_approval: ['accepted', 'reserved'],
  charged: BEFORE_CHARGE,
  fulfilling: [...BEFORE_CHARGE, 'charged'],
  shipped: notEndedBut('shipped'),
  completed: NOT_ENDED,
  needs_attention: BEFORE_SHIPPING,
  compensating: notEndedBut('compensating'),
  cancelled: NOT_ENDED,
  failed: NOT_ENDED,
};

/** Statuses that do not change within seconds, so that a request need not wait for the next one. */
export const RESTING_ORDER_STATUSES = orderStatusesWhere(({ next }) => next !== 'moves on');

/** Statuses that never change again within a generation. */
export const FINAL_ORDER_STATUSES = orderStatusesWhere(({ next }) => next === 'ended');

/** Statuses in which the customer may cancel: until the carrier has the parcel. */
export const CANCELLABLE_ORDER_STATUSES = orderStatusesWhere(({ cancellable }) => cancellable);

/**
 * How the cancellation of an order stands. `done`: what was done for the order is undone. `refused`: the parcel had left the
 * warehouse, and the order continues.
 */
export const CANCELLATION_STATUSES = ['requested', 'done', 'refused'] as const;
export type CancellationStatus = (typeof CANCELLATION_STATUSES)[number];

/**
 * What becomes of a cancellation that is still requested when an order gets a status. One that fails for another reason is
 * undone just as well.
 */
export const CANCELLATION_OUTCOMES: Partial<Record<OrderStatus, Exclude<CancellationStatus, 'requested'>>> = {
  shipped: 'refused',
  completed: 'refused',
  cancelled: 'done',
  failed: 'done',
};

export const SIGNUP_STATUSES = [
  'pending_verification',
  'verified',
  'trial',
  'subscribed',
  'expired',
  'ended',
] as const;
export type SignupStatus = (typeof SIGNUP_STATUSES)[number];

/** Statuses of signups that never change again. */
export const FINAL_SIGNUP_STATUSES: readonly SignupStatus[] = ['subscribed', 'expired', 'ended'];

/** The steps of an order. Their effects may have to be undone. */
export const ORDER_STEPS = ['reserve', 'approval', 'charge', 'ship', 'invoice'] as const;
export type OrderStep = (typeof ORDER_STEPS)[number];

/** @returns whether a text is the name of a step */
export const isOrderStep = (text: string): text is OrderStep => ORDER_STEPS.some((step) => step === text);

export const STEP_KINDS = ['step', 'compensation'] as const;
export type StepKind = (typeof STEP_KINDS)[number];

/**
 * running → done → undone (compensated), or running ⇄ retrying → exhausted (parked) | refused (permanent). A step that is in
 * progress when its compensation starts is interrupted, and then undone.
 */
export const STEP_STATES = ['running', 'retrying', 'exhausted', 'refused', 'interrupted', 'done', 'undone'] as const;

/**
 * What is asked of an outside service besides steps and compensations: to stop a parcel before anything is undone, and to refund
 * again because an operator has asked for it.
 */
export const CALL_KINDS = ['withdrawal', 'refund'] as const;
export type CallKind = (typeof CALL_KINDS)[number];

/** @returns whether a kind of attempt is a call */
export const isCall = (kind: AttemptKind): kind is CallKind => CALL_KINDS.some((call) => call === kind);

/** What is attempted for an order: its steps, their compensations, its emails, and other calls. */
export const ATTEMPT_KINDS = [...STEP_KINDS, 'email', ...CALL_KINDS] as const;
export type AttemptKind = (typeof ATTEMPT_KINDS)[number];

/**
 * What is recorded of attempts, each at its time. A compensation that succeeds is `undone`, or `settled` by a person. `cancelled`:
 * it was not needed any more. What only uses Postgres has no `started`: an attempt that does not end leaves nothing.
 */
export const ATTEMPT_EVENT_TYPES = ['started', 'failed', 'refused', 'cancelled', 'exhausted', 'done', 'undone', 'settled'] as const;
export type AttemptEventType = (typeof ATTEMPT_EVENT_TYPES)[number];

/** The states of the payment of one generation. */
export const PAYMENT_STATES = ['pending', 'captured', 'declined', 'cancelled', 'refunded'] as const;

/** The states of the parcel of one generation. */
export const SHIPMENT_STATES = ['accepted', 'shipped', 'delivered', 'rejected', 'cancelled'] as const;

/** The statuses of a refund at the payment provider. Only `succeeded` counts as given back, and even that may still become `failed`. */
export const REFUND_STATUSES = ['pending', 'requires_action', 'succeeded', 'failed', 'canceled'] as const;
export type RefundStatus = (typeof REFUND_STATUSES)[number];

/** @returns whether it is still open how a refund ends */
export const isUnderWay = (status: RefundStatus): boolean => status === 'pending' || status === 'requires_action';

/** @returns whether a refund has come to nothing: its amount can be refunded again */
export const hasFailed = (status: RefundStatus): boolean => status === 'failed' || status === 'canceled';

/** The statuses of a dispute at the payment provider. */
export const DISPUTE_STATUSES = [
  'warning_needs_response',
  'warning_under_review',
  'warning_closed',
  'needs_response',
  'under_review',
  'appeal_needs_response',
  'appeal_under_review',
  'won',
  'lost',
  'prevented',
] as const;
export type DisputeStatus = (typeof DISPUTE_STATUSES)[number];

/** Decided, as far as the provider knows: an appeal may open it again. */
export const CLOSED_DISPUTE_STATUSES: readonly DisputeStatus[] = ['warning_closed', 'won', 'lost', 'prevented'];

/** What became of an email. A suppressed one was not sent, because its address had enough of them: see `activities/email-cap.ts`. */
export const EMAIL_STATUSES = ['sent', 'suppressed'] as const;

export const FAILURE_KINDS = [
  'step',
  'compensation',
  'email',
  'command',
  'run',
  'late_shipment',
  'unexpected_shipment',
  'discrepancy',
  'refund',
  'dispute',
] as const;
export type FailureKind = (typeof FAILURE_KINDS)[number];

/** Failures about money that the provider moves. */
export const MONEY_FAILURE_KINDS = ['refund', 'dispute'] as const satisfies readonly FailureKind[];

/**
 * What is wrong outside stays wrong when the order has ended. So an order that was restarted may have several of one kind, each of
 * another generation.
 */
export const OUTLASTING_FAILURE_KINDS: readonly FailureKind[] = ['unexpected_shipment', ...MONEY_FAILURE_KINDS];

export const FAILURE_STATUSES = ['open', 'retrying', 'resolved', 'cancelled', 'settled'] as const;
export type FailureStatus = (typeof FAILURE_STATUSES)[number];

const IS_LIVE: Record<FailureStatus, boolean> = { open: true, retrying: true, resolved: false, cancelled: false, settled: false };

/** Statuses of failures that are not closed yet. A unique index allows one such failure for each thing that failed. */
export const LIVE_FAILURE_STATUSES = FAILURE_STATUSES.filter((status) => IS_LIVE[status]);

/** The entries in the history of a failure. */
export const FAILURE_EVENT_TYPES = [
  'opened',
  'reopened',
  'retry_requested',
  'cancel_requested',
  'settlement_requested',
  'restart_requested',
  'reset_requested',
  'fix_requested',
  'resolved',
  'cancelled',
  'settled',
] as const;

export const COMMAND_STATES = ['pending', 'delivered', 'discarded', 'set_aside'] as const;
export type CommandState = (typeof COMMAND_STATES)[number];

export const ROLES = ['customer', 'support', 'operator'] as const;
export type Role = (typeof ROLES)[number];
