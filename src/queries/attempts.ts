import { asc, eq } from 'drizzle-orm';
import { REFUND_PENDING } from '../contracts/errors.ts';
import type { AttemptEventType } from '../contracts/statuses.ts';
import type { Database } from '../db/client.ts';
import { attemptEvents, type sagaSteps } from '../db/schema.ts';

type Known = Pick<typeof sagaSteps.$inferSelect, 'kind' | 'state' | 'attempts' | 'startedAt' | 'finishedAt'>;
type Entry = typeof attemptEvents.$inferSelect;

/** What happened to an attempt. `lost`: it had not ended when it was given up. Its worker died, or its end was not recorded. */
export type AttemptOutcome = AttemptEventType | 'lost';

/** One thing that happened to an attempt, at its time. */
export type AttemptEvent = Pick<Entry, 'attempt' | 'durationMs' | 'errorType' | 'errorMessage' | 'at'> & {
  type: AttemptOutcome;
  /** Null if it is not known. */
  worker: string | null;
};

/** All attempts of one step, one compensation, one email or one call. */
export interface AttemptHistory extends Pick<Entry, 'generation' | 'kind' | 'step'> {
  events: AttemptEvent[];
}

/** @returns what is recorded of the attempts of an order, in order */
export async function readAttempts(db: Pick<Database, 'select'>, orderId: string): Promise<AttemptHistory[]> {
  const entries = await db.select().from(attemptEvents).where(eq(attemptEvents.orderId, orderId)).orderBy(asc(attemptEvents.id));
  const histories = new Map<string, AttemptHistory>();
  for (const { generation, kind, step, emailKey, type, attempt, at, worker, durationMs, errorType, errorMessage } of entries) {
    const subject = [generation, kind, emailKey ?? step].join('/');
    const history = histories.get(subject) ?? { generation, kind, step, events: [] };
    histories.set(subject, history);
    history.events.push({ type, attempt, at, worker, durationMs, errorType, errorMessage });
  }
  return [...histories.values()];
}

const ENDS: readonly AttemptOutcome[] = ['failed', 'refused', 'cancelled', 'done', 'undone', 'lost'];

/** @returns whether this is how an attempt ended */
const isEnd = ({ type }: AttemptEvent): boolean => ENDS.includes(type);

/** After these, an attempt before them is not waited for any more. Nor is it after anything that a later attempt has done. */
const GIVES_UP: readonly AttemptOutcome[] = ['exhausted', 'settled'];

/**
 * Adds what nobody could record: that an attempt was given up. One that ends later was not lost.
 * @param givenUpAt when the last attempt was given up, if it was, e.g. because the compensation of the step began
 */
export function withLost(events: readonly AttemptEvent[], givenUpAt?: Date): AttemptEvent[] {
  const ended = new Set(events.filter(isEnd).map(({ attempt }) => attempt));
  const givenUp = (index: number, number: number): Date | undefined =>
    events.slice(index + 1).find(({ type, attempt }) => attempt > number || GIVES_UP.includes(type))?.at ?? givenUpAt;
  const all = events.flatMap((event, index): AttemptEvent[] => {
    const at = event.type === 'started' && !ended.has(event.attempt) ? givenUp(index, event.attempt) : undefined;
    return at ? [event, { ...event, type: 'lost', at }] : [event];
  });
  // Of one moment, what was given up comes after its start, and before what gave it up.
  return all.toSorted((one, other) => one.at.getTime() - other.at.getTime());
}

/** How a step comes to an end whose time its row keeps. */
const FINISHES: readonly AttemptOutcome[] = ['refused', 'cancelled', 'done', 'undone', 'settled'];

/**
 * Adds what the row of a step says of the time before there was a record: when it began and when it was done. What it does not
 * say, such as when its attempts failed, is left out.
 */
export function withEarlier({ kind, state, attempts, startedAt, finishedAt }: Known, events: readonly AttemptEvent[]): AttemptEvent[] {
  const known = { durationMs: null, errorType: null, errorMessage: null, worker: null };
  const [first] = events;
  const isOlder = attempts > 0 && (!first || first.attempt > 1);
  const began: AttemptEvent[] = isOlder ? [{ ...known, type: 'started', attempt: 1, at: startedAt }] : [];
  if (!finishedAt || events.some(({ type }) => FINISHES.includes(type))) return [...began, ...events];
  const type = kind === 'compensation' ? 'undone' : state === 'refused' ? 'refused' : 'done';
  return [...began, ...events, { ...known, type, attempt: attempts, at: finishedAt }];
}

/** One attempt, from its beginning to its end. */
export interface Attempt {
  attempt: number;
  startedAt: Date;
  /** Undefined while it goes on. */
  end?: AttemptEvent;
  worker: string | null;
}

/** @returns the attempts that a history is about, oldest first */
export function attemptsOf(events: readonly AttemptEvent[]): Attempt[] {
  const numbers = [...new Set(events.filter((event) => event.type === 'started' || isEnd(event)).map(({ attempt }) => attempt))];
  return numbers.flatMap((attempt): Attempt[] => {
    const begun = events.find((event) => event.attempt === attempt && event.type === 'started');
    const end = events.find((event) => event.attempt === attempt && isEnd(event));
    const startedAt = begun?.at ?? (end && new Date(end.at.getTime() - (end.durationMs ?? 0)));
    return startedAt ? [{ attempt, startedAt, ...(end && { end }), worker: (end ?? begun)?.worker ?? null }] : [];
  });
}

/** Attempts that were made, and that have no entries of their own. */
export interface LeftOut {
  count: number;
  /** The first of them began after this. */
  after: Date;
  /** Whether all of them came after those that have entries, so that the latest error is one of theirs. */
  areLatest: boolean;
}

/** What is known of something that was attempted. An email has nothing that counts. */
export type Counted = Pick<AttemptHistory, 'events'> & Partial<Pick<Known, 'attempts'>>;

/** @returns the attempts that a history leaves out, if any: those after the first hundred, or from before there was a record */
export function leftOut({ events, attempts = 0 }: Counted): LeftOut | undefined {
  const known = attemptsOf(events);
  const numbers = new Set(known.map(({ attempt }) => attempt));
  const last = Math.max(...numbers);
  const count = Math.max(attempts, last) - numbers.size;
  const before = known.find(({ attempt }) => !numbers.has(attempt + 1));
  return before && count > 0 ? { count, after: before.end?.at ?? before.startedAt, areLatest: before.attempt === last } : undefined;
}

/** @returns how many attempts a history has, with those that it leaves out */
export const countAttempts = (counted: Counted): number => attemptsOf(counted.events).length + (leftOut(counted)?.count ?? 0);

/** What happened, by the number of the attempt. */
const HAPPENED: Record<AttemptOutcome, (attempt: number) => string> = {
  started: (attempt) => `attempt ${attempt} started`,
  failed: (attempt) => `attempt ${attempt} failed`,
  refused: () => 'refused',
  cancelled: (attempt) => `attempt ${attempt} cancelled`,
  lost: (attempt) => `attempt ${attempt} did not end: its worker was lost, or its end could not be recorded`,
  exhausted: (attempt) => `retries used up, last attempt ${attempt}`,
  done: (attempt) => (attempt > 1 ? `attempt ${attempt} done` : 'done'),
  undone: (attempt) => (attempt > 1 ? `undone at attempt ${attempt}` : 'undone'),
  settled: () => 'settled by hand',
};

/** An approval is asked for once. */
const APPROVAL: Partial<Record<AttemptOutcome, string>> = {
  started: 'requested',
  done: 'given',
  refused: 'refused',
  cancelled: 'no longer needed',
};

/** @returns whether an attempt has only seen that the provider has not completed a refund yet. It is recorded as failed, and comes again */
export const isStillPending = ({ type, errorType }: AttemptEvent): boolean => type === 'failed' && errorType === REFUND_PENDING;

/** @returns what happened to an attempt, in words: `attempt 2 failed` */
export function happened({ kind, step }: Pick<AttemptHistory, 'kind' | 'step'>, event: AttemptEvent): string {
  const { type, attempt } = event;
  if (isStillPending(event)) return `attempt ${attempt}: still under way`;
  // Whether the parcel could be stopped is not said here: a refused cancellation follows if it could not.
  if (kind === 'withdrawal' && type === 'done') return attempt > 1 ? `attempt ${attempt} answered` : 'answered';
  return (step === 'approval' ? APPROVAL[type] : undefined) ?? HAPPENED[type](attempt);
}
