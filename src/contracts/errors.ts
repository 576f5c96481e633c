/** The stable error types: the same in Temporal failures, in `failures.error_type` and in the API. */

/** Business refusals: no retry changes them. The order compensates and ends at once. */
export const REFUSALS = [
  'out_of_stock',
  'card_declined',
  'invalid_address',
  'shipment_rejected',
  'order_rejected',
  'order_cancelled',
  'parking_deadline_passed',
] as const;

export type RefusalType = (typeof REFUSALS)[number];

/** @returns whether an error type is a business refusal. */
export const isRefusalType = (type: unknown): type is RefusalType => REFUSALS.some((refusal) => refusal === type);

/** A service will never accept this request, for a reason other than a business refusal. The order parks, and a person has to look. */
export const INVALID_REQUEST = 'invalid_request';

/** A late attempt of a step whose compensation has started. Retrying it would redo what is being undone. */
export const STEP_UNDONE = 'step_undone';

/** The order has ended, or runs as a later generation. A late attempt, or a run that was reset by hand, must not change it. */
export const ORDER_ENDED = 'order_ended';

/** The provider has taken a refund, but not completed it yet: the next attempt looks again. */
export const REFUND_PENDING = 'refund_pending';

/** Errors of these types are not retried. All others are. */
export const NON_RETRYABLE_ERROR_TYPES: string[] = [...REFUSALS, INVALID_REQUEST, STEP_UNDONE, ORDER_ENDED];

/** The outside services that activities depend on. */
export type Dependency = 'payment' | 'warehouse' | 'email' | 'alert';

/** @returns the retryable error type for a service that is down, slow, failing or rate limiting us. */
export const unavailable = (dependency: Dependency): string => `${dependency}_unavailable`;

/** @returns the error type of a first try that was not made, because too many calls wait for the service already. */
export const busy = (dependency: Dependency): string => `${dependency}_busy`;

/** How an error is recorded. */
export interface ErrorDetails {
  errorType: string;
  errorMessage: string;
}
