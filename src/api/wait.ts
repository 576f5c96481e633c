import { RESTING_ORDER_STATUSES } from '../contracts/statuses.ts';
import { readOrderStatus } from '../queries/orders.ts';
import type { Dependencies } from './environment.ts';
import { header, requestHeader } from './schemas/header.ts';

const LONGEST_WAIT = 30;

/** For the OpenAPI document; {@link preferredWait} reads it. */
export const preferHeader = requestHeader('Prefer', `\`wait=N\` (RFC 7240): how many seconds to wait, at most ${LONGEST_WAIT}`, {
  required: false,
  example: 'wait=10',
});

/** The headers of {@link preferenceApplied}, for the OpenAPI document. */
export const PREFERENCE_HEADERS = {
  'Preference-Applied': header('The wait that was applied, e.g. `wait=10`', { required: false }),
  Vary: header('`Prefer` when a wait was applied', { required: false }),
};

/** @returns the seconds of `Prefer: wait=N` (RFC 7240, section 4.3), at most 30, or 0 without it */
export function preferredWait(prefer: string | undefined): number {
  const seconds = /(?:^|,)\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:[;,]|$)/i.exec(prefer ?? '')?.[1];
  return Math.min(Number(seconds ?? 0), LONGEST_WAIT);
}

/** Waits until an order has come to rest, `seconds` have passed or the signal is aborted. */
export async function waitUntilRest(
  { db, feed }: Pick<Dependencies, 'db' | 'feed'>,
  orderId: string,
  seconds: number,
  signal: AbortSignal,
): Promise<void> {
  const end = performance.now() + seconds * 1_000;
  const subscription = feed.subscribe(orderId, signal);
  try {
    while (!subscription.closed && performance.now() < end) {
      const status = await readOrderStatus(db, orderId);
      if (!status || RESTING_ORDER_STATUSES.includes(status)) return;
      await subscription.next(end - performance.now());
    }
  } finally {
    subscription.close();
  }
}

/** @returns the headers of an answer that took the wait into account. */
export const preferenceApplied = (seconds: number) => ({ 'Preference-Applied': `wait=${seconds}`, Vary: 'Prefer' });
