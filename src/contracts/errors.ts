/** The stable error types. The same words stand in Temporal failures, in `failures.error_type` and in the API. */

/** Business answers that no retry changes: the order compensates and ends at once. */
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

/** Permanent, but nobody's decision: a request that the other side will never take. A person has to look: the order parks. */
export const INVALID_REQUEST = 'invalid_request';

/** A step came too late: its compensation has already run. Retrying it would do again what was undone. */
export const STEP_UNDONE = 'step_undone';

/** Types that end an activity at its first failure. Everything else is retried. */
export const NON_RETRYABLE_ERROR_TYPES: string[] = [...REFUSALS, INVALID_REQUEST, STEP_UNDONE];

/** The services that an activity can lose. */
export type Dependency = 'payment' | 'warehouse' | 'email' | 'alert';

/** @returns the retryable error type for a service that is down, slow, failing or limiting us. */
export const unavailable = (dependency: Dependency): string => `${dependency}_unavailable`;
