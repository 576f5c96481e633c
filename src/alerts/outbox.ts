import { and, asc, eq, sql, type SQL } from 'drizzle-orm';
import { ALERT_CHANNELS, type AlertChannel } from '../contracts/alerts.ts';
import type { Database } from '../db/client.ts';
import { alertMessages, alerts } from '../db/schema.ts';
import { statement } from '../db/transaction.ts';
import type { Logger } from '../log.ts';
import type { Channels, Message, Send } from './channels.ts';

/** ms for which a process that has claimed a message may send it. What takes longer may arrive twice. */
const LEASE = 60_000;
/** After the last attempt, nobody learns more from it. The delays double up to five minutes: more than a day. */
const ATTEMPTS = 300;

type Columns = Parameters<ReturnType<Database['update']>['set']>[0];

interface Claimed extends Message {
  serial: number;
  attempts: number;
}

/** Sends the messages that are due on one channel, one after the other. A signal that is aborted keeps it from beginning another. */
export type SendDue = (signal?: AbortSignal) => Promise<void>;

/**
 * Any number of processes may send messages: each message is claimed by one, and by another only if that one does not say within a minute
 * what became of it. A message waits for the earlier ones of its alert.
 * @returns for each channel of this process, a function to call every few seconds
 */
export const createAlertOutboxes = ({ channels, ...parts }: { db: Database; channels: Channels; log: Logger }): SendDue[] =>
  ALERT_CHANNELS.flatMap((channel) => {
    const send = channels[channel];
    return send ? [createOutbox({ ...parts, channel, send })] : [];
  });

function createOutbox({ db, channel, send, log }: { db: Database; channel: AlertChannel; send: Send; log: Logger }): SendDue {
  return async function sendDue(signal) {
    for (let message = await claim(signal); message; message = await claim(signal)) await attempt(message);
  };

  async function claim(signal: AbortSignal | undefined): Promise<Claimed | undefined> {
    if (signal?.aborted) return undefined;
    const { alertId, serial, state, nextAttemptAt, createdAt } = alertMessages;
    const isFirst = sql`not exists (select from ${alertMessages} as earlier where earlier.alert_id = ${alertId}
      and earlier.channel = ${channel} and earlier.serial < ${serial} and earlier.state = 'pending')`;
    const due = db
      .select({ row: sql`${alertMessages}.ctid` })
      .from(alertMessages)
      .where(and(eq(state, 'pending'), eq(alertMessages.channel, channel), sql`${nextAttemptAt} <= now()`, isFirst))
      .orderBy(asc(createdAt))
      .limit(1)
      .for('update', { skipLocked: true });
    const [row] = await statement(db, () =>
      db
        .update(alertMessages)
        .set({ attempts: sql`${alertMessages.attempts} + 1`, nextAttemptAt: sql`now() + ${LEASE} * interval '1 ms'` })
        .where(sql`${alertMessages}.ctid = any (array(${due}))`)
        .returning(),
    );
    if (!row) return undefined;
    const [alert] = await db.select({ subject: alerts.subject }).from(alerts).where(eq(alerts.id, row.alertId));
    return { ...row, subject: alert?.subject ?? '', key: `alert:${row.alertId}:${row.serial}` };
  }

  async function attempt(message: Claimed): Promise<void> {
    try {
      await send(message);
    } catch (error) {
      await recordFailure(message, error instanceof Error ? error.message : String(error));
      return;
    }
    // Even if it took longer than the lease: otherwise it would be sent again and again.
    await settle(message, { state: 'sent', settledAt: sql`now()`, lastError: null });
  }

  async function recordFailure(message: Claimed, lastError: string): Promise<void> {
    const { subject, attempts } = message;
    log.error({ alert: subject, channel, attempt: attempts, error: lastError }, 'an alert could not be sent');
    const delay = Math.min(5_000 * 2 ** (attempts - 1), 300_000);
    const isLast = attempts >= ATTEMPTS;
    const outcome = isLast ? { state: 'given_up' as const, settledAt: sql`now()` } : { nextAttemptAt: sql`now() + ${delay} * interval '1 ms'` };
    // Not if the lease has ended: another process is sending it.
    await settle(message, { lastError, ...outcome }, eq(alertMessages.attempts, attempts));
  }

  /** @param condition that the message must also meet. One that was sent or given up stays so */
  async function settle({ alertId, serial }: Claimed, columns: Columns, condition?: SQL): Promise<void> {
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
