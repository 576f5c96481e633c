import { activityInfo } from '@temporalio/activity';
import { and, eq, gte, sql } from 'drizzle-orm';
import type { ErrorDetails } from '../contracts/errors.ts';
import type { OrderRef } from '../contracts/ids.ts';
import type { CallKind, OrderStep } from '../contracts/statuses.ts';
import type { Database, Transaction } from '../db/client.ts';
import { attemptEvents } from '../db/schema.ts';
import { transaction } from '../db/transaction.ts';
import { isOf } from '../records/order-rows.ts';
import { lockStep, type SagaStep } from '../records/saga-steps.ts';
import { recordAttempt, recordFailed, stopwatch, type Ongoing } from './attempts.ts';

/** A call about a step that neither is the step nor undoes it. It has no row of its own: only the record says that it was made. */
export interface Call extends OrderRef {
  step: OrderStep;
  kind: CallKind;
}

/** An attempt of a call that goes on. */
type OngoingCall = Required<Ongoing>;

const isOfCall = (call: Call) => and(isOf(attemptEvents, call), eq(attemptEvents.step, call.step), eq(attemptEvents.kind, call.kind));

/**
 * Counts an attempt of a call. A later call goes on counting where the one before it ended. Under the lock of the step: two attempts
 * that begin together, e.g. once Postgres is back, would otherwise get the same number.
 */
export async function beginCall(db: Database, call: Call): Promise<OngoingCall> {
  const after = stopwatch();
  const number = await transaction(db, async (tx) => {
    await lockCall(tx, call);
    const [last] = await tx
      .select({ attempt: sql<number>`coalesce(max(${attemptEvents.attempt}), 0)` })
      .from(attemptEvents)
      .where(isOfCall(call));
    const next = Math.max((last?.attempt ?? 0) + 1, activityInfo().attempt);
    await tx.execute(recordAttempt(call, { type: 'started', attempt: next }));
    return next;
  });
  return { after, begun: { number } };
}

/** Locks the step of a call: before what its answer changes, because locks are taken in that order. */
export const lockCall = (tx: Transaction, call: Call): Promise<SagaStep> => lockStep(tx, { ...call, kind: 'step' });

/** Locks the step of a call, and records that an attempt was answered, together with what the answer changes. */
export async function recordAnswered(tx: Transaction, call: Call, { after, begun }: OngoingCall): Promise<void> {
  await lockCall(tx, call);
  await tx.execute(recordAttempt(call, { type: 'done', attempt: begun.number, after: after() }));
}

/** Locks the step of a call, and records that an attempt has failed, or was refused for good. */
export async function recordUnanswered(
  tx: Transaction,
  call: Call,
  { after, begun }: OngoingCall,
  end: { type: 'failed' | 'refused'; error: ErrorDetails },
): Promise<void> {
  const took = after();
  await lockCall(tx, call);
  await tx.execute(recordFailed(call, { ...end, attempt: begun.number, after: took }));
}

/** @returns whether a call was answered since an attempt of it began. Nobody waits for that attempt any more. Needs the lock of the step */
export const isAnsweredSince = async (tx: Transaction, call: Call, { begun }: OngoingCall): Promise<boolean> =>
  (await tx.$count(attemptEvents, and(isOfCall(call), eq(attemptEvents.type, 'done'), gte(attemptEvents.attempt, begun.number)))) > 0;
