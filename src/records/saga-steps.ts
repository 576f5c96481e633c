import { and, eq, gt, inArray, isNull, notInArray, or, sql, type SQL } from 'drizzle-orm';
import type { OrderRef } from '../contracts/ids.ts';
import type { OrderStep, StepKind } from '../contracts/statuses.ts';
import type { Database, Transaction } from '../db/client.ts';
import { sagaSteps } from '../db/schema.ts';
import { isOf } from './order-rows.ts';

/** Names one row of `saga_steps`. */
export interface StepRow extends OrderRef {
  step: OrderStep;
  kind: StepKind;
}

export type SagaStep = typeof sagaSteps.$inferSelect;

/** @returns the condition for one row of `saga_steps` */
export const isStep = ({ step, kind, ...ref }: StepRow) =>
  and(isOf(sagaSteps, ref), eq(sagaSteps.step, step), eq(sagaSteps.kind, kind));

/** Whether anything was done. The row of a step that was not attempted is only there for its state, and to be locked. */
export const hasBegun = or(eq(sagaSteps.kind, 'compensation'), gt(sagaSteps.attempts, 0));

/** What identifies a row, as the target of an upsert. */
export const STEP_KEY = [sagaSteps.orderId, sagaSteps.generation, sagaSteps.step, sagaSteps.kind];

export async function findStep(db: Pick<Database, 'select'>, row: StepRow): Promise<SagaStep | undefined> {
  const [found] = await db.select().from(sagaSteps).where(isStep(row));
  return found;
}

/** Whether an attempt may be under way. */
export const isInProgress = inArray(sagaSteps.state, ['running', 'retrying']);

/**
 * Whether nothing but attempts has happened to a step, and none has failed. Postgres checks this again for a row that it had to
 * wait for: parking leaves an error there, and a compensation interrupts the step.
 */
export const isUndisturbed = and(eq(sagaSteps.state, 'running'), isNull(sagaSteps.errorType));

/** Whether a step, or a compensation, may begin again and be done. */
export const isUnfinished = notInArray(sagaSteps.state, ['interrupted', 'done', 'undone']);

/** @returns the condition that the compensation of a step has not started */
export const isNotCompensated = (row: StepRow): SQL =>
  sql`not exists (select from ${sagaSteps} where ${isStep({ ...row, kind: 'compensation' })})`;

/**
 * Locks a step and its compensation. The lock is the row of the step, which is created if it is missing. Changing the state of
 * either of them needs this lock, unless an attempt begins or commits in one statement (see `commitStep`).
 */
export const lockStep = (tx: Transaction, row: StepRow): Promise<SagaStep> => lock(tx, row, 'running');

/** Locks a step as `lockStep` does, and lets none of its attempts commit any more: it is being undone. */
export const interruptStep = (tx: Transaction, row: StepRow): Promise<SagaStep> => lock(tx, row, 'interrupted');

async function lock(tx: Transaction, row: StepRow, state: 'running' | 'interrupted'): Promise<SagaStep> {
  const { orderId, generation, step } = row;
  const { state: present } = sagaSteps;
  const [locked] = await tx
    .insert(sagaSteps)
    .values({ orderId, generation, step, kind: 'step', state })
    .onConflictDoUpdate({
      target: STEP_KEY,
      set: { state: state === 'interrupted' ? sql`case when ${isInProgress} then ${state} else ${present} end` : present },
    })
    .returning();
  if (!locked) throw new Error('An upsert returned no row.');
  return locked;
}

/** Marks a locked step as undone. One that was parked or refused keeps its state, and its error. */
export async function markUndone(tx: Transaction, row: StepRow): Promise<void> {
  await tx
    .update(sagaSteps)
    .set({ state: 'undone' })
    .where(and(isStep({ ...row, kind: 'step' }), inArray(sagaSteps.state, ['running', 'retrying', 'interrupted', 'done'])));
}
