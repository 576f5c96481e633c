import { and, asc, eq, inArray, sql, type SQL } from 'drizzle-orm';
import { ALERT_CHANNELS, type AlertChannel } from '../contracts/alerts.ts';
import type { Database } from '../db/client.ts';
import { alertMessages, alerts } from '../db/schema.ts';
import { statement } from '../db/transaction.ts';
import type { Logger } from '../log.ts';
import type { Channels, Message } from './channels.ts';

/** ms for which a process that has claimed a message may send it. What takes longer may arrive twice. */
const LEASE = 60_000;
/** Messages that are sent at once. */
const BATCH = 10;
/** After the last attempt, nobody learns more from it. The delays double up to five minutes: more than a day. */
const ATTEMPTS = 300;

type Columns = Parameters<ReturnType<Database['update']>['set']>[0];

interface Claimed extends Message {
  serial: number;
  channel: AlertChannel;
  attempts: number;
}

/**
 * Sends the messages that are due on the channels of this process. Any number of processes may do so: each message is claimed by one,
 * and by another only if that one does not say within a minute what became of it. A message waits for the earlier ones of its alert.
 * @returns a function to call every few seconds
 */
export function createAlertOutbox({ db, channels, log }: { db: Database; channels: Channels; log: Logger }) {
  const mine = ALERT_CHANNELS.filter((channel) => channels[channel]);

  return async function sendDue(): Promise<void> {
    const claimed = mine.length === 0 ? [] : await claim();
    await Promise.all(claimed.map(send));
  };

  async function claim(): Promise<Claimed[]> {
    const { alertId, serial, channel, state, nextAttemptAt, createdAt } = alertMessages;
    const isFirst = sql`not exists (select from ${alertMessages} as earlier where earlier.alert_id = ${alertId}
      and earlier.channel = ${channel} and earlier.serial < ${serial} and earlier.state = 'pending')`;
    const due = db
      .select({ row: sql`${alertMessages}.ctid` })
      .from(alertMessages)
      .where(and(eq(state, 'pending'), inArray(channel, mine), sql`${nextAttemptAt} <= now()`, isFirst))
      .orderBy(asc(createdAt))
      .limit(BATCH)
      .for('update', { skipLocked: true });
    const rows = await statement(db, () =>
      db
        .update(alertMessages)
        .set({ attempts: sql`${alertMessages.attempts} + 1`, nextAttemptAt: sql`now() + ${LEASE} * interval '1 ms'` })
        .where(sql`${alertMessages}.ctid = any (array(${due}))`)
        .returning(),
    );
    if (rows.length === 0) return [];
    const known = await db.select({ id: alerts.id, subject: alerts.subject }).from(alerts).where(inArray(alerts.id, rows.map((row) => row.alertId)));
    const subjects = new Map(known.map(({ id, subject }) => [id, subject]));
    return rows.map((row) => ({ ...row, subject: subjects.get(row.alertId) ?? '', key: `alert:${row.alertId}:${row.serial}` }));
  }

  async function send(message: Claimed): Promise<void> {
    try {
      await channels[message.channel]?.(message);
      // Even if it took longer than the lease: otherwise it would be sent again and again.
      await settle(message, { state: 'sent', settledAt: sql`now()`, lastError: null });
    } catch (error) {
      const lastError = error instanceof Error ? error.message : String(error);
      const isLast = message.attempts >= ATTEMPTS;
      log.error({ alert: message.subject, channel: message.channel, attempt: message.attempts, error: lastError }, 'an alert could not be sent');
      const delay = Math.min(5_000 * 2 ** (message.attempts - 1), 300_000);
      const outcome = isLast ? { state: 'given_up' as const, settledAt: sql`now()` } : { nextAttemptAt: sql`now() + ${delay} * interval '1 ms'` };
      // Not if the lease has ended: another process is sending it.
      await settle(message, { lastError, ...outcome }, eq(alertMessages.attempts, message.attempts));
    }
  }

  /** @param condition that the message must also meet. One that was sent or given up stays so */
  async function settle({ alertId, serial, channel }: Claimed, columns: Columns, condition?: SQL): Promise<void> {
    await db
      .update(alertMessages)
      .set(columns)
      .where(
        and(
          eq(alertMessages.alertId, alertId),
          eq(alertMessages.serial, serial),
          eq(alertMessages.channel, channel),
          eq(alertMessages.state, 'pending'),
          condition,
        ),
      );
  }
}
