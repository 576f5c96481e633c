import { ApplicationFailure } from '@temporalio/common';
import { INVALID_REQUEST, unavailable, type Dependency, type RefusalType } from '../contracts/errors.ts';

/** The three ways in which a call to the outside fails. Errors are sorted into them here, once, at the gateway. */

/** The other side said no, for a reason of business. Never retried. */
export const refused = (type: RefusalType, message: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(message, type);

/** The other side will never take this request as it is. Not retried: a person has to look. */
export const invalidRequest = (message: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(message, INVALID_REQUEST);

/**
 * No answer, or one that may be another next time: it is unknown whether the call took effect. Asked again, with the same key.
 * @param retryAfter ms that the other side asked us to wait
 */
export const noAnswer = (dependency: Dependency, message: string, retryAfter?: number): ApplicationFailure =>
  ApplicationFailure.create({
    type: unavailable(dependency),
    message,
    ...(retryAfter === undefined ? {} : { nextRetryDelay: retryAfter }),
  });

/** @returns whether a status may be another next time (RFC 9110: 408, 429, 5xx; 401 and 403 are our own configuration, which gets mended) */
export const isTransient = (status: number): boolean =>
  status >= 500 || [401, 403, 408, 425, 429].includes(status);

/**
 * @param value a `Retry-After` header (RFC 9110 10.2.3): seconds or a date
 * @returns ms to wait, at most an hour, or undefined when there is none
 */
export function parseRetryAfter(value: string | null | undefined): number | undefined {
  if (!value) return undefined;
  const wait = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), 3_600_000);
}
