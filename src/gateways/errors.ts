import { ApplicationFailure } from '@temporalio/common';
import { busy, INVALID_REQUEST, unavailable, type Dependency, type RefusalType } from '../contracts/errors.ts';

/** The three ways in which a call to an outside service fails. Each gateway sorts its errors into these. */

/** The service refused for a business reason. Never retried. */
export const refused = (type: RefusalType, message: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(message, type);

/** The service will never accept this request. Not retried: a person has to look. */
export const invalidRequest = (message: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(message, INVALID_REQUEST);

/**
 * No answer, or one that may change: it is unknown whether the call took effect. Retried with the same key.
 * @param retryAfter ms that the service asked us to wait
 */
export const noAnswer = (dependency: Dependency, message: string, retryAfter?: number): ApplicationFailure =>
  ApplicationFailure.create({
    type: unavailable(dependency),
    message,
    ...(retryAfter === undefined ? {} : { nextRetryDelay: retryAfter }),
  });

/** The call was not made, because too many wait for the service already. */
export const notTried = (dependency: Dependency, message: string): ApplicationFailure =>
  ApplicationFailure.retryable(message, busy(dependency));

/** @returns whether a retry may get another status (RFC 9110: 408, 429, 5xx; 401 and 403 mean our configuration, which gets fixed) */
export const isTransient = (status: number): boolean =>
  status >= 500 || [401, 403, 408, 425, 429].includes(status);

/**
 * @param value a `Retry-After` header (RFC 9110 10.2.3): seconds or a date
 * @returns ms to wait, at most an hour, or undefined without a valid header
 */
export function parseRetryAfter(value: string | null | undefined): number | undefined {
  if (!value) return undefined;
  const wait = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), 3_600_000);
}
