import type { OrderRef } from './ids.ts';
import type { OrderStatus, OrderStep, SignupStatus } from './statuses.ts';

/** What workflows are started with and what they are told. Ids and small facts only: no personal data crosses to Temporal. */

/** Durations in ms, amounts in minor units. They are arguments, so that a replay never sees another value. */
export interface OrderPolicy {
  approvalThreshold: number;
  approvalDeadline: number;
  parkingDeadline: number;
  lateShipmentAfter: number;
  lateShipmentEvery: number;
  deliveryDeadline: number;
}

/** What the API knows when it takes the order. */
export interface OrderFacts extends OrderRef {
  amount: number;
  currency: string;
}

export interface OrderInput extends OrderFacts {
  policy: OrderPolicy;
}

export interface CancelOrder {
  reason: string;
  actor: string;
}

export interface DecideApproval {
  decision: 'approve' | 'reject';
  reason: string;
  actor: string;
}

/** `occurrence` says which parking is meant: a signal delivered twice, or late, must not resolve the next one. */
export interface ResolveFailure {
  failureId: string;
  occurrence: number;
  action: 'retry' | 'cancel';
  reason: string;
  actor: string;
}

/** A compensation that cannot get through was done by hand, outside: the order goes on without it. */
export interface SettleCompensation {
  failureId: string;
  step: OrderStep;
  /** What was done. */
  reason: string;
  actor: string;
}

export interface CarrierUpdate {
  generation: number;
  type: 'shipped' | 'delivered' | 'rejected';
  carrier: string;
  trackingNumber: string;
  reason?: string;
}

/** How an order ended, as its run's result. */
export interface OrderResult {
  status: Extract<OrderStatus, 'completed'>;
}

/** Durations in ms. `reminders` count from the signup, in order. */
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

/** How a signup ended, as its run's result. */
export interface SignupResult {
  status: Extract<SignupStatus, 'expired' | 'subscribed' | 'ended'>;
}

export interface WeeklyReportInput {
  /** IANA name of the zone in which weeks begin. */
  timeZone: string;
}

export interface WeeklyReportResult {
  /** ISO 8601 week, `2026-W47` */
  week: string;
}

export interface AlertInput {
  group: string;
  /** ms between two digests while the group stays open. */
  digestEvery: number;
  /** Messages sent by the runs that this one continues. */
  announced?: number;
}

/** Why an alert is sent. */
export type AlertOccasion = 'opened' | 'digest' | 'resolved';

export interface ReplayInput {
  replayId: string;
  ratePerSecond: number;
}
