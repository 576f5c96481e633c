import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';

/**
 * Wakes those who listen, after a transaction. Postgres lets only one transaction with a NOTIFY commit at a time, so the
 * transactions themselves send none. A notification is lost if the process dies right after its commit: whoever listens
 * also looks by itself every few seconds.
 */

/** ms during which the notifications of several transactions are put together. */
const TOGETHER = 2;
/** ms between two sendings. Under load, each would wake all who listen for a few rows. */
const INTERVAL = 10;

/** The payloads for each channel. */
type Notifications = Map<string, Set<string>>;

const ofTransaction = new AsyncLocalStorage<Notifications>();
const outgoing = new WeakMap<Pool, { notifications: Notifications; sending: Promise<void> }>();
const sentAt = new WeakMap<Pool, number>();

/** Notifies a channel once the present transaction has committed. */
export function notifyAfterCommit(channel: string, payload = ''): void {
  const notifications = ofTransaction.getStore();
  if (!notifications) throw new Error('Only a transaction notifies.');
  add(notifications, channel, payload);
}

/** Notifies a channel of what a single statement has written. */
export const notify = (pool: Pool, channel: string, payload = ''): void => send(pool, new Map([[channel, new Set([payload])]]));

/** Runs a transaction, then sends its notifications. @param run resolves once it has committed */
export async function sendingNotifications<Result>(pool: Pool, run: () => Promise<Result>): Promise<Result> {
  const notifications: Notifications = new Map();
  const result = await ofTransaction.run(notifications, run);
  if (notifications.size > 0) send(pool, notifications);
  return result;
}

/** Resolves once everything so far has been sent. */
export async function notificationsSent(pool: Pool): Promise<void> {
  await outgoing.get(pool)?.sending;
}

function send(pool: Pool, notifications: Notifications): void {
  const waiting = outgoing.get(pool);
  if (!waiting) outgoing.set(pool, { notifications, sending: sendSoon(pool) });
  else for (const [channel, payloads] of notifications) for (const payload of payloads) add(waiting.notifications, channel, payload);
}

async function sendSoon(pool: Pool): Promise<void> {
  await sleep(Math.max(TOGETHER, (sentAt.get(pool) ?? -INTERVAL) + INTERVAL - performance.now()));
  sentAt.set(pool, performance.now());
  const { notifications = new Map<string, Set<string>>() } = outgoing.get(pool) ?? {};
  outgoing.delete(pool);
  const pairs = [...notifications].flatMap(([channel, payloads]) => Array.from(payloads, (payload) => ({ channel, payload })));
  // Nothing is written, so there is nothing to wait for on disk.
  const text = `select pg_notify(channel, payload), set_config('synchronous_commit', 'off', true)
    from unnest($1::text[], $2::text[]) as pair (channel, payload)`;
  const values = [pairs.map(({ channel }) => channel), pairs.map(({ payload }) => payload)];
  // Not sent: Postgres is away, and its listeners look again when they reconnect.
  await pool.query(text, values).catch(() => {});
}

function add(notifications: Notifications, channel: string, payload: string): void {
  notifications.set(channel, (notifications.get(channel) ?? new Set()).add(payload));
}
