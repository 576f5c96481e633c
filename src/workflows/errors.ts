import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import { isRefusalType, type ErrorDetails, type RefusalType } from '../contracts/errors.ts';

/** @returns a business refusal, which ends the order */
export const refusal = (type: RefusalType, message: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(message, type);

/** @returns the refusal of an order that was cancelled. @param actor who cancelled it; why is in Postgres */
export const cancelledBy = (actor: string): ApplicationFailure => refusal('order_cancelled', `Cancelled by ${actor}.`);

const root = (error: unknown): unknown => (error instanceof ActivityFailure ? error.cause : error);

/** @returns the refusal inside an error, or undefined if it is another error */
export function asRefusal(error: unknown): ApplicationFailure | undefined {
  const cause = root(error);
  return cause instanceof ApplicationFailure && isRefusalType(cause.type) ? cause : undefined;
}

/** @returns the stable type and the message of an error that an activity failed with */
export function describeError(error: unknown): ErrorDetails {
  const cause = root(error);
  if (cause instanceof ApplicationFailure) {
    return { errorType: cause.type ?? 'unknown', errorMessage: cause.message };
  }
  if (cause instanceof TimeoutFailure) return { errorType: 'timeout', errorMessage: cause.message };
  return { errorType: 'unknown', errorMessage: cause instanceof Error ? cause.message : String(cause) };
}
