import type { Client } from '@temporalio/client';
import { eq, isNull, sql } from 'drizzle-orm';
import { ALERT_CHANNELS, type AlertChannel, type AlertContent, type AlertOccasion } from '../contracts/alerts.ts';
import type { Database, Transaction } from '../db/client.ts';
import { alertMessages, alerts } from '../db/schema.ts';
import { transaction } from '../db/transaction.ts';
import { newId } from '../records/new-id.ts';
import { isUnknown, readCommandBacklog, readTemporalBacklog, temporalTroubles, type TemporalBacklog } from './backlog.ts';
import { readFailureGroups } from './failure-groups.ts';
import type { Clock, Trouble } from './trouble.ts';

/** ms. While orders park and are fixed one by one, a group is empty for moments. */
const QUIET = 20_000;
/** A message tells people that it has become so many times worse. */
const GROWTH = 10;
/** ms between two looks at Temporal, and for one. */
const TEMPORAL_EVERY = 30_000;
const TEMPORAL_DEADLINE = 5_000;

/** Any number that no other lock of ours has. */
const LOCK = 7_284_021;

export interface WatchOptions {
  db: Database;
  client: Client;
  /** Where alerts go. */
  channels: readonly AlertChannel[];
  timeZone: string;
  /** ms that a command or a task may wait. */
  backlogAfter: number;
  /** ms between two digests. */
  digestEvery: number;
  /** The present time; that of the database, unless given. */
  now?: () => Promise<Date>;
}

type Alert = typeof alerts.$inferSelect;

/**
 * Compares what is wrong now with the alerts that are open, and writes the messages that are due. An alert and its messages are one
 * transaction, and only one process decides at a time: so a message is written once, and never lost.
 * @returns a function to call every few seconds
 */
export function createAlertWatch({ db, client, channels, timeZone, backlogAfter, digestEvery, now }: WatchOptions) {
  let backlog: TemporalBacklog = {};
  let lookedAt = -Infinity;

  async function lookAtTemporal(clock: Clock): Promise<void> {
    const since = clock.now.getTime() - lookedAt;
    if (since >= 0 && since < TEMPORAL_EVERY) return;
    lookedAt = clock.now.getTime();
    backlog = await readTemporalBacklog(client, clock, TEMPORAL_DEADLINE);
  }

  return async function watch(): Promise<void> {
    const clock = { now: await (now ?? (() => readTime(db)))(), timeZone };
    await lookAtTemporal(clock);
    await transaction(db, async (tx) => {
      const { rows } = await tx.execute<{ locked: boolean }>(sql`select pg_try_advisory_xact_lock(${LOCK}) as locked`);
      if (!rows[0]?.locked) return;
      const troubles = [
        ...(await readFailureGroups(tx)),
        ...(await readCommandBacklog(tx, backlogAfter, clock)),
        ...temporalTroubles(backlog, backlogAfter, clock),
      ];
      const open = await tx.select().from(alerts).where(isNull(alerts.resolvedAt));
      const known = new Map(open.map((alert) => [alert.subject, alert]));
      for (const trouble of troubles) {
        const alert = known.get(trouble.subject) ?? (await openAlert(tx, trouble, clock));
        known.delete(trouble.subject);
        if (alert) await follow(tx, alert, trouble, clock);
      }
      const over = [...known.values()].filter(({ subject }) => !isUnknown(subject, backlog));
      for (const alert of over) await close(tx, alert, clock);
    });
  };

  async function follow(tx: Transaction, alert: Alert, trouble: Trouble, clock: Clock): Promise<void> {
    const occasion = occasionOf(alert, trouble, clock);
    if (occasion) {
      const content = await trouble.describe(tx, clock, alert.since);
      const peak = Math.max(alert.peak, content.count);
      await announce(tx, alert, occasion, content);
      const told = { announced: content.count, announcedAt: clock.now, content };
      await tx.update(alerts).set({ ...told, peak, messages: alert.messages + 1, quietSince: null }).where(eq(alerts.id, alert.id));
    } else if (alert.quietSince !== null || trouble.count > alert.peak) {
      await tx.update(alerts).set({ quietSince: null, peak: Math.max(alert.peak, trouble.count) }).where(eq(alerts.id, alert.id));
    }
  }

  function occasionOf({ announced, announcedAt, openedAt }: Alert, { count, holdFor }: Trouble, clock: Clock): AlertOccasion | undefined {
    const age = (time: Date) => clock.now.getTime() - time.getTime();
    if (count === 0) return undefined;
    if (announcedAt === null) return age(openedAt) >= holdFor ? 'opened' : undefined;
    if (count >= announced * GROWTH) return 'grown';
    return age(announcedAt) >= digestEvery ? 'digest' : undefined;
  }

  async function close(tx: Transaction, alert: Alert, clock: Clock): Promise<void> {
    // Over before anybody was told.
    if (alert.content === null) {
      await tx.delete(alerts).where(eq(alerts.id, alert.id));
    } else if (alert.quietSince === null) {
      await tx.update(alerts).set({ quietSince: clock.now }).where(eq(alerts.id, alert.id));
    } else if (clock.now.getTime() - alert.quietSince.getTime() >= QUIET) {
      await announce(tx, alert, 'resolved', { ...alert.content, count: 0, title: alert.content.over, lines: [summaryOf(alert, alert.content)] });
      await tx.update(alerts).set({ resolvedAt: clock.now, messages: alert.messages + 1 }).where(eq(alerts.id, alert.id));
    }
  }

  async function announce(tx: Transaction, { id: alertId, messages }: Alert, occasion: AlertOccasion, content: AlertContent): Promise<void> {
    const serial = messages + 1;
    const to = ALERT_CHANNELS.filter((channel) => channels.includes(channel));
    if (to.length > 0) await tx.insert(alertMessages).values(to.map((channel) => ({ alertId, serial, channel, occasion, content })));
  }
}

async function readTime(db: Database): Promise<Date> {
  const { rows } = await db.execute<{ now: number }>(sql`select extract(epoch from now())::float8 * 1000 as now`);
  return new Date(rows[0]?.now ?? Date.now());
}

/** Only trouble that is there now: what is being retried anyhow is no reason for an alert. */
async function openAlert(tx: Transaction, { subject, count, since }: Trouble, { now: openedAt }: Clock): Promise<Alert | undefined> {
  if (count === 0) return undefined;
  const [alert] = await tx.insert(alerts).values({ id: newId(), subject, since, openedAt, peak: count }).returning();
  return alert;
}

const summaryOf = ({ peak }: Alert, { title }: AlertContent): string => `Before: ${title}.${peak > 1 ? ` At its peak: ${peak}.` : ''}`;
