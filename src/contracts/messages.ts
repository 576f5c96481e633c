import type { OrderRef } from './ids.ts';
import type { OrderStatus, OrderStep, SignupStatus } from './statuses.ts';

/**
 * Inputs, results and signals of workflows. Only ids and small facts: no personal data and no free text goes to Temporal.
 * Why someone did something is in Postgres, and activities read it there. Messages of earlier versions also hold a `reason`.
 */

/** Durations in ms, amounts in minor units. Passed as arguments, so that a replay never sees a different value. */
export interface OrderPolicy {
  approvalThreshold: number;
  approvalDeadline: number;
  parkingDeadline: number;
  lateShipmentAfter: number;
  lateShipmentEvery: number;
  deliveryDeadline: number;
}

/** What is known when the order is accepted. */
export interface OrderFacts extends OrderRef {
  amount: number;
  currency: string;
}

export interface OrderInput extends OrderFacts {
  policy: OrderPolicy;
}

export interface CancelOrder {
  actor: string;
}

export interface DecideApproval {
  decision: 'approve' | 'reject';
  actor: string;
}

/** `occurrence` names one parking, so that a signal that arrives late or twice does not resolve the next one. */
export interface ResolveFailure {
  failureId: string;
  occurrence: number;
  action: 'retry' | 'cancel';
  actor: string;
}

/** A person did outside what a failing compensation was to do. The order continues without it. */
export interface SettleCompensation {
  failureId: string;
  step: OrderStep;
  actor: string;
}

export interface CarrierUpdate {
  generation: number;
  type: 'shipped' | 'delivered' | 'rejected';
  carrier: string;
  trackingNumber: string;
}

/** The result of an order's run. */
export interface OrderResult {
  status: Extract<OrderStatus, 'completed'>;
}

/** Durations in ms. `reminders` count from the signup, in ascending order. */
export interface SignupPolicy {
  reminders: number[];
  verificationDeadline: number;
  trial: number;
  trialReminderBefore: number;
}

export interface SignupFacts {
  signupId: string;
}

export interface SignupInput extends SignupFacts {
  policy: SignupPolicy;
}

/** The result of a signup's run. */
export interface SignupResult {
  status: Extract<SignupStatus, 'expired' | 'subscribed' | 'ended'>;
}

/** A failed refund, and the occurrence of its failure that an operator has answered. */
export interface RefundInput {
  failureId: string;
  occurrence: number;
}

/** The failure of an email, and the occurrence of it that an operator has answered. */
export interface ResendEmailInput {
  failureId: string;
  occurrence: number;
}

export interface WeeklyReportInput {
  /** IANA name of the time zone in which weeks start. */
  timeZone: string;
}

export interface WeeklyReportResult {
  /** ISO 8601 week, `2026-W47` */
  week: string;
}

export interface AlertInput {
  group: string;
  /** ms between two digests while the group is open. */
  digestEvery: number;
  /** How many messages the previous runs of this chain have sent. */
  announced?: number;
}

/** Why an alert of an earlier version was sent. */
export type AlertOccasion = 'opened' | 'digest' | 'resolved';

/** `replayId` is the id of the bulk action. Histories store this name, so it stays. */
export interface BulkActionInput {
  replayId: string;
  ratePerSecond: number;
}
