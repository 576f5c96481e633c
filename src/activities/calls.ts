import { activityInfo } from '@temporalio/activity';
import { and, eq, sql } from 'drizzle-orm';
import type { ErrorDetails } from '../contracts/errors.ts';
import type { OrderRef } from '../contracts/ids.ts';
import type { CallKind, OrderStep } from '../contracts/statuses.ts';
import type { Database, Transaction } from '../db/client.ts';
import { attemptEvents } from '../db/schema.ts';
import { isOf } from '../records/order-rows.ts';
import { lockStep } from '../records/saga-steps.ts';
import { recordAttempt, recordFailed, stopwatch, type Ongoing } from './attempts.ts';

/** A call about a step that neither is the step nor undoes it. It has no row of its own: only the record says that it was made. */
export interface Call extends OrderRef {
  step: OrderStep;
  kind: CallKind;
}

/** An attempt of a call that goes on. */
type OngoingCall = Required<Ongoing>;

/** Counts an attempt of a call. A later call goes on counting where the one before it ended. */
export async function beginCall(db: Database, call: Call): Promise<OngoingCall> {
  const after = stopwatch();
  const { step, kind } = call;
  const [last] = await db
    .select({ attempt: sql<number | null>`max(${attemptEvents.attempt})` })
    .from(attemptEvents)
    .where(and(isOf(attemptEvents, call), eq(attemptEvents.step, step), eq(attemptEvents.kind, kind)));
  const number = Math.max((last?.attempt ?? 0) + 1, activityInfo().attempt);
  await db.execute(recordAttempt(call, { type: 'started', attempt: number }));
  return { after, begun: { number } };
}

/** Locks the step of a call, and records that an attempt was answered, together with what the answer changes. */
export async function recordAnswered(tx: Transaction, call: Call, { after, begun }: OngoingCall): Promise<void> {
  await lockStep(tx, { ...call, kind: 'step' });
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
  await lockStep(tx, { ...call, kind: 'step' });
  await tx.execute(recordFailed(call, { ...end, attempt: begun.number, after: took }));
}
