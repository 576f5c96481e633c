import { and, eq, inArray, isNull, notInArray, sql } from 'drizzle-orm';
import type { Instruction } from '../contracts/caller.ts';
import type { ErrorDetails } from '../contracts/errors.ts';
import type { OrderRef } from '../contracts/ids.ts';
import { LIVE_FAILURE_STATUSES, OUTLASTING_FAILURE_KINDS, type OrderStep } from '../contracts/statuses.ts';
import type { Transaction } from '../db/client.ts';
import { commands, failureEvents, failures } from '../db/schema.ts';
import { settleItems } from './bulk-action-items.ts';
import { isSetAside } from './commands.ts';
import { newId } from './new-id.ts';
import { isOf } from './order-rows.ts';

type FailureColumns = typeof failures.$inferInsert;

/** What is known about a failure when it opens. `attempts` includes those of earlier occurrences. */
export type NewFailure = Pick<
  FailureColumns,
  'kind' | 'workflowId' | 'step' | 'errorType' | 'errorMessage' | 'attempts'
> &
  Partial<Pick<FailureColumns, 'runId' | 'orderId' | 'signupId' | 'generation' | 'emailKey' | 'resumeStatus' | 'nextRetryAt'>>;

/** Names one parking of an order: what a `retry` or `cancel` refers to. */
export interface FailureRef {
  failureId: string;
  occurrence: number;
}

/**
 * Records that something needs a person: an alert follows (see `alerts/`). Harmless if repeated: each thing that failed has at most
 * one live row. If it fails again after a retry, the row is reopened as its next occurrence.
 */
export async function openFailure(tx: Transaction, failure: NewFailure): Promise<FailureRef> {
  const [live] = await tx
    .select()
    .from(failures)
    .where(
      and(
        eq(failures.workflowId, failure.workflowId),
        eq(failures.kind, failure.kind),
        eq(failures.step, failure.step),
        failure.emailKey ? eq(failures.emailKey, failure.emailKey) : isNull(failures.emailKey),
        // Otherwise the second one would be shown, and repaired, as the first.
        OUTLASTING_FAILURE_KINDS.includes(failure.kind) && failure.generation ? eq(failures.generation, failure.generation) : undefined,
        inArray(failures.status, LIVE_FAILURE_STATUSES),
      ),
    )
    .for('update');
  if (!live) {
    const id = newId();
    await tx.insert(failures).values({ ...failure, id, status: 'open' });
    await recordFailureEvent(tx, id, 'opened', byHoldfast(failure.errorMessage));
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
  if (again) {
    await recordFailureEvent(tx, live.id, 'reopened', byHoldfast(failure.errorMessage));
    await settleItems(tx, [live.id], 'failed_again', failure.errorMessage);
  }
  return { failureId: live.id, occurrence };
}

/** @returns the condition for a failure that has neither failed again nor been closed since this occurrence */
export const isStill = ({ failureId, occurrence }: FailureRef) =>
  and(eq(failures.id, failureId), eq(failures.occurrence, occurrence), inArray(failures.status, LIVE_FAILURE_STATUSES));

/**
 * Opens a failure again, because its retry has failed. Harmless if repeated, or if the failure was closed meanwhile.
 * @param attempts how many the retry has made
 */
export async function failAgain(tx: Transaction, ref: FailureRef, error: ErrorDetails, attempts: number): Promise<void> {
  const [failure] = await tx.select().from(failures).where(isStill(ref)).for('update');
  if (failure) await openFailure(tx, { ...failure, ...error, attempts: failure.attempts + attempts });
}

/** Adds an entry to the history of a failure: what was done, by whom and why. */
export async function recordFailureEvent(
  tx: Transaction,
  failureId: string,
  type: (typeof failureEvents.$inferInsert)['type'],
  { actor, reason }: Instruction,
): Promise<void> {
  await tx.insert(failureEvents).values({ failureId, type, actor, reason });
}

/** Marks what the application itself did. */
const byHoldfast = (reason: string): Instruction => ({ actor: 'holdfast', reason });

/** Some failures of an order: those of one kind and step, those of all its steps, or all that its end closes. */
type Selection =
  | { kind: 'step' | 'compensation' | 'late_shipment' | 'refund' | 'dispute'; step: OrderStep }
  | 'steps'
  | 'all';

function isAmong(which: Selection) {
  if (which === 'all') return notInArray(failures.kind, [...OUTLASTING_FAILURE_KINDS]);
  if (which === 'steps') return eq(failures.kind, 'step');
  return and(eq(failures.kind, which.kind), eq(failures.step, which.step));
}

/** @returns the condition for the live failures of one generation of an order that match `which` */
export const isLiveFailure = (ref: OrderRef, which: Selection) =>
  and(isOf(failures, ref), inArray(failures.status, LIVE_FAILURE_STATUSES), isAmong(which));

/** What closing a failure means for the items of bulk actions that wait for it. */
const SETTLED_AS = { resolved: 'succeeded', cancelled: 'cancelled' } as const;

/** Closes the live failures of an order that match `which`. @returns those it has closed */
export async function closeFailures(
  tx: Transaction,
  ref: OrderRef,
  which: Selection,
  outcome: 'resolved' | 'cancelled',
  reason: string,
): Promise<FailureRef[]> {
  const closed = await tx
    .update(failures)
    .set({ status: outcome, closedAt: sql`now()`, nextRetryAt: null })
    .where(isLiveFailure(ref, which))
    .returning({ failureId: failures.id, occurrence: failures.occurrence });
  for (const { failureId } of closed) await recordFailureEvent(tx, failureId, outcome, byHoldfast(reason));
  await settleItems(tx, closed.map(({ failureId }) => failureId), SETTLED_AS[outcome]);
  return closed;
}

/** Closes a failure, unless it is closed already. */
export async function closeFailure(tx: Transaction, failureId: string, outcome: 'resolved', reason: string): Promise<void> {
  const closed = await tx
    .update(failures)
    .set({ status: outcome, closedAt: sql`now()`, nextRetryAt: null })
    .where(and(eq(failures.id, failureId), inArray(failures.status, LIVE_FAILURE_STATUSES)))
    .returning({ id: failures.id });
  if (closed.length === 0) return;
  await recordFailureEvent(tx, failureId, outcome, byHoldfast(reason));
  await settleItems(tx, [failureId], SETTLED_AS[outcome]);
}

/**
 * Reopens what an operator has answered, when the answer could not be delivered. Left as it was, it would wait forever.
 * @param which one failure, or those of a workflow whose retry or reset was requested
 */
export async function reopenAnswered(
  tx: Transaction,
  { workflowId, failureId }: { workflowId: string; failureId?: string },
  reason: string,
): Promise<void> {
  const answered =
    failureId === undefined
      ? and(eq(failures.status, 'retrying'), inArray(failures.kind, ['step', 'run']))
      : and(eq(failures.id, failureId), inArray(failures.status, LIVE_FAILURE_STATUSES));
  const reopened = await tx
    .update(failures)
    // The same occurrence: the parked run is still waiting for it.
    .set({ status: 'open', lastSeenAt: sql`now()` })
    .where(and(eq(failures.workflowId, workflowId), answered))
    .returning();
  for (const failure of reopened) {
    await recordFailureEvent(tx, failure.id, 'reopened', byHoldfast(reason));
    await settleItems(tx, [failure.id], 'failed_again', reason);
  }
}

/** Closes the failure of commands of one type to a workflow, unless another of them is still set aside. */
export async function closeCommandFailure(tx: Transaction, workflowId: string, type: string): Promise<void> {
  if ((await tx.$count(commands, isSetAside(workflowId, type))) > 0) return;
  const closed = await tx
    .update(failures)
    .set({ status: 'resolved', closedAt: sql`now()` })
    .where(
      and(
        eq(failures.workflowId, workflowId),
        eq(failures.kind, 'command'),
        eq(failures.step, type),
        inArray(failures.status, LIVE_FAILURE_STATUSES),
      ),
    )
    .returning({ id: failures.id });
  for (const { id } of closed) await recordFailureEvent(tx, id, 'resolved', byHoldfast('The command has been dealt with.'));
}

/** Closes the failure of a workflow whose run works again. */
export async function closeRunFailure(tx: Transaction, workflowId: string, reason: string): Promise<void> {
  const closed = await tx
    .update(failures)
    .set({ status: 'resolved', closedAt: sql`now()` })
    .where(and(eq(failures.workflowId, workflowId), eq(failures.kind, 'run'), inArray(failures.status, LIVE_FAILURE_STATUSES)))
    .returning({ id: failures.id });
  for (const { id } of closed) await recordFailureEvent(tx, id, 'resolved', byHoldfast(reason));
}
