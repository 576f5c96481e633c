import { and, eq, inArray, sql } from 'drizzle-orm';
import { v7 as uuid } from 'uuid';
import type { OrderStep } from '../contracts/statuses.ts';
import type { Database, Transaction } from '../db/client.ts';
import { alertGroups, failureEvents, failures } from '../db/schema.ts';
import { enqueueCommand } from './commands.ts';
import type { OrderRef } from '../contracts/ids.ts';

type FailureColumns = typeof failures.$inferInsert;

/** What is known of a failure when it shows up. `attempts` are all there have been, those of earlier occurrences included. */
export type NewFailure = Pick<
  FailureColumns,
  'kind' | 'workflowId' | 'step' | 'errorType' | 'errorMessage' | 'attempts'
> &
  Partial<Pick<FailureColumns, 'runId' | 'orderId' | 'signupId' | 'generation' | 'resumeStatus' | 'nextRetryAt'>>;

/** Which parking of which failure: what a later `retry` or `cancel` refers to. */
export interface FailureRef {
  failureId: string;
  occurrence: number;
}

const LIVE = ['open', 'retrying'] as const;

/**
 * Writes down that something needs a person, and wakes the alert of its group. Harmless when repeated: one thing has
 * one live row; one that failed again after a retry is opened again, as its next occurrence.
 * @param options `alert: false` for what has a notice of its own
 */
export async function openFailure(
  tx: Transaction,
  failure: NewFailure,
  options: { alert: boolean } = { alert: true },
): Promise<FailureRef> {
  const ref = await writeFailure(tx, failure);
  if (options.alert) await wakeAlert(tx, failure);
  return ref;
}

async function writeFailure(tx: Transaction, failure: NewFailure): Promise<FailureRef> {
  const [live] = await tx
    .select()
    .from(failures)
    .where(
      and(
        eq(failures.workflowId, failure.workflowId),
        eq(failures.kind, failure.kind),
        eq(failures.step, failure.step),
        inArray(failures.status, LIVE),
      ),
    )
    .for('update');
  if (!live) {
    const id = uuid();
    await tx.insert(failures).values({ ...failure, id, status: 'open' });
    await recordFailureEvent(tx, id, 'opened', 'holdfast', failure.errorMessage);
    return { failureId: id, occurrence: 1 };
  }
  const again = live.status === 'retrying';
  const occurrence = again ? live.occurrence + 1 : live.occurrence;
  await tx
    .update(failures)
    .set({
      status: 'open',
      occurrence,
      attempts: failure.attempts,
      runId: failure.runId ?? live.runId,
      errorType: failure.errorType,
      errorMessage: failure.errorMessage,
      nextRetryAt: failure.nextRetryAt ?? null,
      lastSeenAt: sql`now()`,
    })
    .where(eq(failures.id, live.id));
  if (again) await recordFailureEvent(tx, live.id, 'reopened', 'holdfast', failure.errorMessage);
  return { failureId: live.id, occurrence };
}

/** @returns the group that a failure is announced with: like failures of one outage are one alert. */
export const alertGroup = (failure: Pick<NewFailure, 'kind' | 'step' | 'errorType'>): string =>
  `${failure.kind}/${failure.step}/${failure.errorType}`;

/** The row lock on the group orders this against its closing, so that no failure falls between two alerts. */
async function wakeAlert(tx: Transaction, failure: NewFailure): Promise<void> {
  const group = alertGroup(failure);
  const opened = await tx
    .insert(alertGroups)
    .values({ group, open: true, openedAt: sql`now()` })
    .onConflictDoUpdate({
      target: alertGroups.group,
      set: { open: true, openedAt: sql`now()` },
      setWhere: eq(alertGroups.open, false),
    })
    .returning({ group: alertGroups.group });
  if (opened.length > 0) await enqueueCommand(tx, { type: 'watch_alert_group', group });
}

/** Adds a line to what was done about a failure, by whom and why. */
export async function recordFailureEvent(
  tx: Transaction,
  failureId: string,
  type: (typeof failureEvents.$inferInsert)['type'],
  actor: string,
  reason: string,
): Promise<void> {
  await tx.insert(failureEvents).values({ failureId, type, actor, reason });
}

/** Closes the live failures of one order that `which` names, with what became of them. */
export async function closeFailures(
  tx: Transaction,
  { orderId, generation }: OrderRef,
  which: { kind: 'step' | 'compensation' | 'late_shipment'; step: OrderStep } | { kind: 'run'; step: 'run' } | 'all',
  outcome: 'resolved' | 'cancelled',
  reason: string,
): Promise<void> {
  const closed = await tx
    .update(failures)
    .set({ status: outcome, closedAt: sql`now()`, nextRetryAt: null })
    .where(
      and(
        eq(failures.orderId, orderId),
        eq(failures.generation, generation),
        inArray(failures.status, LIVE),
        which === 'all' ? undefined : and(eq(failures.kind, which.kind), eq(failures.step, which.step)),
      ),
    )
    .returning({ id: failures.id });
  for (const { id } of closed) await recordFailureEvent(tx, id, outcome, 'holdfast', reason);
}

/** Opens again what was to be retried by a command that cannot be delivered: else nobody could ask for it any more. */
export async function reopenRetrying(tx: Transaction, workflowId: string, reason: string): Promise<void> {
  const reopened = await tx
    .update(failures)
    // The same occurrence: the run that is parked still waits to be told of that one.
    .set({ status: 'open', lastSeenAt: sql`now()` })
    .where(and(eq(failures.workflowId, workflowId), eq(failures.status, 'retrying')))
    .returning({ id: failures.id });
  for (const { id } of reopened) await recordFailureEvent(tx, id, 'reopened', 'holdfast', reason);
}

/** @returns how many failures of a group are open now */
export async function countOpenFailures(db: Pick<Database, '$count'>, group: string): Promise<number> {
  return await db.$count(failures, and(eq(failures.status, 'open'), eq(groupColumn, group)));
}

const groupColumn = sql<string>`${failures.kind} || '/' || ${failures.step} || '/' || ${failures.errorType}`;
