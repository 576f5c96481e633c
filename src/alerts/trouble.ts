import type { AlertContent } from '../contracts/alerts.ts';
import type { Transaction } from '../db/client.ts';

/** Something that is worth waking somebody up for, as it is now. */
export interface Trouble {
  /** Two troubles with the same subject are the same alert. */
  subject: string;
  /** How many there are. 0 while all are being retried: it goes on, but there is nothing to say. */
  count: number;
  since: Date;
  /** ms that the first message waits, so that its count is true. */
  holdFor: number;
  /** Says what it is. Only called when a message is due. `since`: of the alert, when it was first seen */
  describe: (tx: Transaction, clock: Clock, since: Date) => Promise<AlertContent>;
}

/** The time in the shop. */
export interface Clock {
  now: Date;
  /** IANA name */
  timeZone: string;
}

/** @returns a time of day in the shop's time zone, and which one that is, e.g. `19:41 CET`; with its date unless it is today */
export function clockTime(time: Date, { now, timeZone }: Clock): string {
  const day = new Intl.DateTimeFormat('en-GB', { timeZone, day: 'numeric', month: 'short' });
  const hour = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZoneName: 'short' }).format(time);
  return day.format(time) === day.format(now) ? hour : `${hour} on ${day.format(time)}`;
}
