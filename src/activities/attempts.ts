import { hostname } from 'node:os';
import { and, eq, inArray, sql, type SQL, type SQLWrapper } from 'drizzle-orm';
import type { ErrorDetails } from '../contracts/errors.ts';
import type { OrderRef } from '../contracts/ids.ts';
import type { AttemptEventType, AttemptKind } from '../contracts/statuses.ts';
import { isDatabaseUnavailable } from '../db/availability.ts';
import type { Database } from '../db/client.ts';
import { attemptEvents } from '../db/schema.ts';
import { toApplicationFailure } from './errors.ts';

/** This process, as Temporal names it. */
const WORKER = `${process.pid}@${hostname()}`;

/** What is attempted. */
export interface Attempted extends OrderRef {
  /** A step, or the template of an email. */
  step: string;
  kind: AttemptKind;
  emailKey?: string;
}

/** One entry of the record. */
interface AttemptEvent {
  type: AttemptEventType;
  /** Its number. An expression may use what `from` gives. */
  attempt: number | SQL;
  /** ms since it began, for an attempt that ends. */
  after?: number;
  error?: ErrorDetails;
}

/** An attempt that goes on in this process. */
export interface Ongoing {
  /** @returns the ms that it has taken so far */
  after: () => number;
  /** Undefined if its end is also its beginning, because it only uses Postgres. */
  begun?: { number: number };
}

/** @returns what gives the ms since now */
export function stopwatch(): () => number {
  const started = performance.now();
  return () => performance.now() - started;
}

/**
 * How many attempts of one step, compensation, email or call are recorded one by one. What never gives up is retried every few
 * minutes for as long as its service is away, and an entry is never deleted.
 */
const RECORDED = 100;

/**
 * Whether the entry is recorded: later attempts only have one if it says how it all ended. What counts on is the row of a step, or the
 * failure of a withdrawal. Nothing else counts a repeated refund, so each hundredth of its attempts has one, too.
 */
function isRecorded({ kind }: Attempted, { type, attempt }: AttemptEvent): SQL {
  if (type !== 'started' && type !== 'failed') return sql`true`;
  return kind === 'refund' ? sql`(${attempt}::int <= ${RECORDED} or ${attempt}::int % ${RECORDED} = 0)` : sql`${attempt}::int <= ${RECORDED}`;
}

/**
 * @param options `from`: e.g. `from finished`, nothing is recorded unless that has a row; `when`: nor unless this holds
 * @returns a statement, or part of one, that adds an entry to the record. The time that the statement itself took counts
 */
export function recordAttempt(attempted: Attempted, event: AttemptEvent, { from = sql``, when = sql`true` }: { from?: SQL; when?: SQL } = {}): SQL {
  const { type, attempt, after, error } = event;
  const { orderId, generation, step, kind, emailKey = null } = attempted;
  const duration =
    after === undefined
      ? sql`null::int`
      : sql`(${after}::float8 + extract(epoch from clock_timestamp() - statement_timestamp()) * 1000)::int`;
  return sql`
    insert into ${attemptEvents} (order_id, generation, step, kind, email_key, attempt, type, worker, duration_ms, error_type, error_message)
    select ${orderId}::uuid, ${generation}::int, ${step}::text, ${kind}::text, ${emailKey}::text, ${attempt}::int, ${type}::text,
      ${WORKER}::text, ${duration}, ${error?.errorType ?? null}::text, ${error?.errorMessage ?? null}::text ${from} where ${when} and ${isRecorded(attempted, event)}`;
}

/**
 * Adds that an attempt has failed, unless it has committed and only the answer was lost. Needs the lock of its step, so that a commit
 * whose answer was lost is over.
 */
export const recordFailed = (attempted: Attempted, event: AttemptEvent & { type: 'failed' | 'refused' }): SQL => {
  const { orderId, generation, step, kind } = attempted;
  const hasCommitted = sql`exists (select from ${attemptEvents} where ${and(
    eq(attemptEvents.orderId, orderId),
    eq(attemptEvents.generation, generation),
    eq(attemptEvents.step, step),
    eq(attemptEvents.kind, kind),
    sql`${attemptEvents.attempt} = ${event.attempt}`,
    inArray(attemptEvents.type, ['done', 'undone']),
  )})`;
  return recordAttempt(attempted, event, { when: sql`not ${hasCommitted}` });
};

/**
 * @param change a statement that returns the `attempts` of a row of `saga_steps`
 * @returns the same, which also adds an entry to the record if there is such a row
 */
export const recordIfAny = (change: SQLWrapper, attempted: Attempted, type: AttemptEventType): SQL =>
  sql`with changed as ${change} ${recordAttempt(attempted, { type, attempt: sql`attempts` }, { from: sql`from changed` })}`;

/** @returns an error as it is recorded */
export function errorDetails(error: unknown): ErrorDetails {
  const { type, message } = toApplicationFailure(error);
  return { errorType: type ?? 'unknown', errorMessage: message };
}

/** Records something about an attempt that has failed. While Postgres is away there is no record, and the error stays what it is. */
export async function unlessAway(record: () => Promise<unknown>): Promise<void> {
  try {
    await record();
  } catch (error) {
    if (!isDatabaseUnavailable(error)) throw error;
  }
}

/** Records that an attempt was not needed any more. One that never began has left nothing. */
export async function recordCancelled(db: Database, attempted: Attempted, { after, begun }: Ongoing): Promise<void> {
  if (!begun) return;
  const attempt = begun.number;
  await unlessAway(() => db.execute(recordAttempt(attempted, { type: 'cancelled', attempt, after: after() })));
}
