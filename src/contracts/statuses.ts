/** The words for where an order, a signup, a step or a failure stands. The database checks them, the API shows them. */

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

/** An order in one of these stays there until a person acts, or for ever. */
export const RESTING_ORDER_STATUSES: readonly OrderStatus[] = [
  'awaiting_approval',
  'completed',
  'needs_attention',
  'cancelled',
  'failed',
];

/** An order in one of these never moves again within its generation. */
export const FINAL_ORDER_STATUSES: readonly OrderStatus[] = ['completed', 'cancelled', 'failed'];

/** Until the parcel is with the carrier a customer may change their mind. */
export const CANCELLABLE_ORDER_STATUSES: readonly OrderStatus[] = [
  'accepted',
  'reserved',
  'awaiting_approval',
  'charged',
  'fulfilling',
  'needs_attention',
];

export const SIGNUP_STATUSES = [
  'pending_verification',
  'verified',
  'trial',
  'subscribed',
  'expired',
  'ended',
] as const;
export type SignupStatus = (typeof SIGNUP_STATUSES)[number];

/** The steps of an order that leave an effect which may have to be undone. */
export const ORDER_STEPS = ['reserve', 'approval', 'charge', 'ship', 'invoice'] as const;
export type OrderStep = (typeof ORDER_STEPS)[number];

export const STEP_KINDS = ['step', 'compensation'] as const;
export type StepKind = (typeof STEP_KINDS)[number];

/**
 * running → done → undone (compensated), or running ⇄ retrying → exhausted (parked) | refused (permanent).
 */
export const STEP_STATES = ['running', 'retrying', 'exhausted', 'refused', 'done', 'undone'] as const;
export type StepState = (typeof STEP_STATES)[number];

export const FAILURE_KINDS = ['step', 'compensation', 'email', 'command', 'run', 'late_shipment'] as const;
export type FailureKind = (typeof FAILURE_KINDS)[number];

export const FAILURE_STATUSES = ['open', 'retrying', 'resolved', 'cancelled', 'settled'] as const;
export type FailureStatus = (typeof FAILURE_STATUSES)[number];

/** What is done about a failure, and by whom: the lines of its history. */
export const FAILURE_EVENT_TYPES = [
  'opened',
  'reopened',
  'retry_requested',
  'cancel_requested',
  'settlement_requested',
  'replay_requested',
  'reset_requested',
  'resolved',
  'cancelled',
  'settled',
] as const;
export type FailureEventType = (typeof FAILURE_EVENT_TYPES)[number];

export const COMMAND_STATES = ['pending', 'delivered', 'discarded', 'set_aside'] as const;
export type CommandState = (typeof COMMAND_STATES)[number];

export const ROLES = ['customer', 'support', 'operator'] as const;
export type Role = (typeof ROLES)[number];
