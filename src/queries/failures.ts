import { and, asc, count, desc, eq, inArray, lt, max, min } from 'drizzle-orm';
import type { FailureFilter } from '../contracts/failure-filter.ts';
import type { Database } from '../db/client.ts';
import { failureEvents, failures, orders } from '../db/schema.ts';
import { failureCondition } from './failure-filter.ts';

export type Failure = typeof failures.$inferSelect;
export type FailureEvent = typeof failureEvents.$inferSelect;

/** A failure with its history, oldest first. */
export interface FailureStory {
  failure: Failure;
  events: FailureEvent[];
}

/**
 * @param page `cursor` is the id of the last failure of the previous page
 * @returns failures, newest first; one more than `limit` when there is a next page
 */
export async function listFailures(
  db: Database,
  filter: FailureFilter,
  page: { limit: number; cursor?: string | undefined },
): Promise<Failure[]> {
  const rows = await selectFailures(db, filter, page);
  return rows.map(({ failure }) => failure);
}

/** A failure, and the amount of its order. */
export type FailureWithAmount = Failure & { amount: number | null; currency: string | null };

/** Like `listFailures`, with the amounts of the orders. */
export async function listFailuresWithAmounts(
  db: Database,
  filter: FailureFilter,
  page: { limit: number; cursor?: string | undefined },
): Promise<FailureWithAmount[]> {
  const rows = await selectFailures(db, filter, page);
  return rows.map(({ failure, amount, currency }) => ({ ...failure, amount, currency }));
}

const selectFailures = (db: Database, filter: FailureFilter, page: { limit: number; cursor?: string | undefined }) =>
  db
    .select({ failure: failures, amount: orders.amount, currency: orders.currency })
    .from(failures)
    .leftJoin(orders, eq(orders.id, failures.orderId))
    .where(and(failureCondition(filter), page.cursor === undefined ? undefined : lt(failures.id, page.cursor)))
    .orderBy(desc(failures.id))
    .limit(page.limit + 1);

export interface FailureCount {
  kind: Failure['kind'];
  step: string;
  errorType: string;
  count: number;
}

/**
 * @param most only so many are counted, the newest, and one more if there are more
 * @returns how many failures match, by kind, step and error type, most first
 */
export async function countFailures(db: Database, filter: FailureFilter, most?: number): Promise<FailureCount[]> {
  const all = db
    .select({ kind: failures.kind, step: failures.step, errorType: failures.errorType })
    .from(failures)
    .leftJoin(orders, eq(orders.id, failures.orderId))
    .where(failureCondition(filter))
    .$dynamic();
  const counted = (most === undefined ? all : all.orderBy(desc(failures.id)).limit(most + 1)).as('counted');
  return await db
    .select({ kind: counted.kind, step: counted.step, errorType: counted.errorType, count: count() })
    .from(counted)
    .groupBy(counted.kind, counted.step, counted.errorType)
    .orderBy(desc(count()));
}

/** @returns when the first of the matching failures was seen, and when one of them failed last; undefined when none match */
export async function readFailureSpan(db: Database, filter: FailureFilter): Promise<{ oldest: Date; latest: Date } | undefined> {
  const [span] = await db
    .select({ oldest: min(failures.firstSeenAt), latest: max(failures.lastSeenAt) })
    .from(failures)
    .leftJoin(orders, eq(orders.id, failures.orderId))
    .where(failureCondition(filter));
  return span?.oldest && span.latest ? { oldest: span.oldest, latest: span.latest } : undefined;
}

/** @returns how many failures are open */
export const countOpenFailures = async (db: Database): Promise<number> =>
  await db.$count(failures, eq(failures.status, 'open'));

/** @returns a failure with what was done about it, oldest first; undefined when there is none */
export async function readFailure(db: Database, id: string): Promise<FailureStory | undefined> {
  const [failure] = await db.select().from(failures).where(eq(failures.id, id));
  if (!failure) return undefined;
  const events = await db
    .select()
    .from(failureEvents)
    .where(eq(failureEvents.failureId, id))
    .orderBy(asc(failureEvents.id));
  return { failure, events };
}

/** @returns the failures of a workflow with their histories, oldest first */
export async function readFailuresOf(db: Pick<Database, 'select'>, workflowId: string): Promise<FailureStory[]> {
  const rows = await db.select().from(failures).where(eq(failures.workflowId, workflowId)).orderBy(asc(failures.id));
  if (rows.length === 0) return [];
  const ids = rows.map(({ id }) => id);
  const events = await db
    .select()
    .from(failureEvents)
    .where(inArray(failureEvents.failureId, ids))
    .orderBy(asc(failureEvents.id));
  return rows.map((failure) => ({ failure, events: events.filter(({ failureId }) => failureId === failure.id) }));
}
