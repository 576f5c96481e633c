import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { and, eq, inArray, isNotNull, notInArray, sql } from 'drizzle-orm';
import { isRefusalType, STEP_UNDONE, type ErrorDetails } from '../contracts/errors.ts';
import { orderWorkflowId, stepKey, withSerial, type OrderRef } from '../contracts/ids.ts';
import type { OrderStep, StepKind } from '../contracts/statuses.ts';
import type { Database, Transaction } from '../db/client.ts';
import { orders, sagaSteps } from '../db/schema.ts';
import { transaction } from '../db/transaction.ts';
import { enqueueCommand, isAsked } from '../records/commands.ts';
import { closeFailures, type FailureRef } from '../records/failures.ts';
import { isOf, isOrder } from '../records/order-rows.ts';
import { toApplicationFailure } from './errors.ts';
import { openOrderFailure } from './open-failure.ts';
import { nextAttemptAt, withSpreadDelay } from './retry-delay.ts';

/** What a step records for people to read. No personal data. */
export type StepFacts = Record<string, string | number | boolean>;

/**
 * Writes the effect of a step and the step's row in one transaction, unless an earlier attempt has done so.
 * `contended` runs last, so that rows that many orders share are locked for as short as possible.
 */
export type Commit = (
  effect: (tx: Transaction) => Promise<StepFacts>,
  contended?: (tx: Transaction) => Promise<void>,
) => Promise<void>;

/** Declares one step of an order: how to run it, and how to compensate for it. */
export function defineStep(db: Database, step: OrderStep) {
  return {
    /** @returns the idempotency key of the step. @param serial as `run` gives it */
    key: (ref: OrderRef, serial: number): string => withSerial(stepKey(ref, step), serial),

    /** @returns the serial of the last key that the step was tried under. It does not change once the compensation has started. */
    async lastSerial(ref: OrderRef): Promise<number> {
      const [row] = await db
        .select({ serial: sagaSteps.keySerial })
        .from(sagaSteps)
        .where(isStep({ ...ref, step, kind: 'step' }));
      return row?.serial ?? 1;
    },

    /**
     * Lets later attempts use another key, because the service will never accept the step under this one. No attempt commits
     * what it did under this key any more. Changes nothing if the step is done: an attempt with other contents has succeeded.
     * @throws ApplicationFailure `step_undone` if the compensation has started
     */
    async retireKey(ref: OrderRef, serial: number): Promise<void> {
      const row: StepRow = { ...ref, step, kind: 'step' };
      await transaction(db, async (tx) => {
        await lockStep(tx, row);
        await refuseIfCompensated(tx, row);
        await tx
          .update(sagaSteps)
          .set({ keySerial: serial + 1 })
          .where(and(isStep(row), isUnfinished, eq(sagaSteps.keySerial, serial)));
      });
    },

    /** Part of a commit: what an earlier key stands for is the effect of the step after all. */
    async restoreKey(tx: Transaction, ref: OrderRef, serial: number): Promise<void> {
      await tx
        .update(sagaSteps)
        .set({ keySerial: serial })
        .where(isStep({ ...ref, step, kind: 'step' }));
    },

    /**
     * Runs the step so that its effect happens once, however often and wherever it is attempted.
     * @param body calls the outside (which must be harmless if repeated), then commits; `serial` is that of the present key
     * @throws ApplicationFailure `step_undone` if the compensation has started: a late attempt must not redo what is being undone
     */
    run: (ref: OrderRef, body: (commit: Commit, serial: number) => Promise<void>): Promise<void> =>
      attempt(db, { ...ref, step, kind: 'step' }, body),

    /**
     * Undoes the step. Once this has started, no attempt of the step can commit, so it sees everything there is to undo.
     * If it fails, it shows among the failures at once, and is retried until it succeeds.
     * @param body undoes outside (which must be harmless if repeated, or if there is nothing to undo), then commits
     */
    compensate: (ref: OrderRef, body: (commit: Commit) => Promise<void>): Promise<void> =>
      attempt(db, { ...ref, step, kind: 'compensation' }, body),

    /**
     * Asks the outside for an answer that the compensation depends on. Like a compensation, it shows among the failures
     * while it fails, and is retried until it succeeds.
     */
    async askUntilAnswered<Answer>(ref: OrderRef, ask: () => Promise<Answer>): Promise<Answer> {
      const row: StepRow = { ...ref, step, kind: 'compensation' };
      try {
        const answer = await ask();
        await transaction(db, (tx) => closeFailures(tx, ref, row, 'resolved', 'The service answered.'));
        return answer;
      } catch (error) {
        const retried = neverGivingUp(error);
        await transaction(db, (tx) => openCompensationFailure(tx, row, retried, activityInfo().attempt));
        throw retried;
      }
    },
  };
}

/**
 * Marks a step as exhausted. Takes the lock of the step: a late attempt commits either before this, and then the step is
 * done, or after it, and then it finds the failure that parked the order (see `wakeRun`).
 * @returns how often the step was attempted, or undefined if it is done
 */
export async function exhaustStep(
  tx: Transaction,
  ref: OrderRef,
  step: OrderStep,
  error: ErrorDetails,
): Promise<{ attempts: number } | undefined> {
  const row: StepRow = { ...ref, step, kind: 'step' };
  await lockStep(tx, row);
  if ((await findStep(tx, row))?.state === 'done') return undefined;
  const [exhausted] = await tx
    .update(sagaSteps)
    .set({ state: 'exhausted', ...error })
    .where(isStep(row))
    .returning({ attempts: sagaSteps.attempts });
  return { attempts: exhausted?.attempts ?? 0 };
}

/** Names one row of `saga_steps`. */
interface StepRow extends OrderRef {
  step: OrderStep;
  kind: StepKind;
}

/** Counts an attempt, then runs `body`. Its effect commits together with the row, and only once. */
async function attempt(db: Database, row: StepRow, body: (commit: Commit, serial: number) => Promise<void>): Promise<void> {
  const started = await transaction(db, async (tx) => {
    await lockStep(tx, row);
    await refuseIfCompensated(tx, row);
    return await countAttempt(tx, row);
  });
  if (!started) return;
  try {
    const commit: Commit = (effect, contended) =>
      transaction(db, async (tx) => {
        await lockStep(tx, row);
        const found = await findStep(tx, row);
        if (found?.state === 'done') return;
        await refuseIfCompensated(tx, row);
        if (found && found.keySerial !== started.serial) throw ApplicationFailure.retryable('The key was retired meanwhile.', 'key_retired');
        const closed = await finish(tx, row, await effect(tx));
        if (row.kind === 'step') for (const parking of closed) await wakeRun(tx, row, parking);
        await contended?.(tx);
      });
    await body(commit, started.serial);
  } catch (thrown) {
    // The workflow has cancelled it, and undoes it next.
    if (thrown instanceof CancelledFailure) throw thrown;
    const error = row.kind === 'compensation' ? neverGivingUp(thrown) : thrown;
    await recordError(db, row, toApplicationFailure(error));
    throw error;
  }
}

/** @returns the condition for one row of `saga_steps` */
export const isStep = ({ step, kind, ...ref }: StepRow) =>
  and(isOf(sagaSteps, ref), eq(sagaSteps.step, step), eq(sagaSteps.kind, kind));

/** Retries even permanent errors: giving up would keep what belongs to someone else. */
function neverGivingUp(error: unknown): ApplicationFailure {
  const { type, message, nextRetryDelay } = toApplicationFailure(error);
  return withSpreadDelay(
    ApplicationFailure.create({ message, type: type ?? 'unknown', ...(nextRetryDelay ? { nextRetryDelay } : {}) }),
    activityInfo(),
  );
}

/** A step and its compensation exclude each other, even before either has a row. Hence an advisory lock. */
async function lockStep(tx: Transaction, row: StepRow): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${stepKey(row, row.step)}, 0))`);
}

async function findStep(tx: Transaction, row: StepRow) {
  const [found] = await tx.select({ state: sagaSteps.state, keySerial: sagaSteps.keySerial }).from(sagaSteps).where(isStep(row));
  return found;
}

async function refuseIfCompensated(tx: Transaction, row: StepRow): Promise<void> {
  if (row.kind === 'step' && (await findStep(tx, { ...row, kind: 'compensation' }))) {
    throw ApplicationFailure.nonRetryable(`The step "${row.step}" has been undone.`, STEP_UNDONE);
  }
}

const isUnfinished = notInArray(sagaSteps.state, ['done', 'undone']);

/** Steps that do not begin once a cancellation was accepted. */
const STOPPED_BY_CANCELLATION: readonly OrderStep[] = ['charge', 'ship'];

/**
 * @returns the serial of the key, or undefined if the step is finished, and so must not be attempted
 * @throws ApplicationFailure `order_cancelled` before the first attempt, even if the run has not heard of the cancellation:
 * it may have been dead meanwhile. A step that was attempted before may have succeeded, so it is finished and then undone.
 */
async function countAttempt(tx: Transaction, row: StepRow): Promise<{ serial: number } | undefined> {
  const isCancelled = and(isOrder(row), isNotNull(orders.cancellationReason));
  const [counted] = await tx
    .insert(sagaSteps)
    .values({ ...row, state: 'running', attempts: 1 })
    .onConflictDoUpdate({
      target: [sagaSteps.orderId, sagaSteps.generation, sagaSteps.step, sagaSteps.kind],
      set: { state: 'running', attempts: sql`${sagaSteps.attempts} + 1` },
      setWhere: isUnfinished,
    })
    .returning({
      attempts: sagaSteps.attempts,
      serial: sagaSteps.keySerial,
      cancelled: sql<boolean>`exists (select from ${orders} where ${isCancelled})`,
    });
  if (counted?.cancelled && counted.attempts === 1 && row.kind === 'step' && STOPPED_BY_CANCELLATION.includes(row.step)) {
    throw ApplicationFailure.nonRetryable('The order has been cancelled.', 'order_cancelled');
  }
  return counted;
}

/** @returns the failures that this has closed */
async function finish(tx: Transaction, row: StepRow, result: StepFacts): Promise<FailureRef[]> {
  await tx
    .update(sagaSteps)
    .set({ state: 'done', result, errorType: null, errorMessage: null, finishedAt: sql`now()` })
    .where(isStep(row));
  if (row.kind === 'compensation') {
    await tx
      .update(sagaSteps)
      .set({ state: 'undone' })
      // An interrupted step, too: whatever it did outside is undone by now.
      .where(and(isStep({ ...row, kind: 'step' }), inArray(sagaSteps.state, ['running', 'retrying', 'done'])));
  }
  return await closeFailures(tx, row, row, 'resolved', `The ${row.kind} succeeded.`);
}

/** Tells a parked run that a late attempt of its step has succeeded, unless a person has asked for a retry already. */
async function wakeRun(tx: Transaction, { orderId }: OrderRef, parking: FailureRef): Promise<void> {
  if (await isAsked(tx, orderWorkflowId(orderId), { type: 'resolve_failure', message: parking })) return;
  await enqueueCommand(tx, {
    type: 'resolve_failure',
    orderId,
    message: { ...parking, action: 'retry', actor: 'holdfast' },
  });
}

async function recordError(db: Database, row: StepRow, error: ApplicationFailure): Promise<void> {
  const errorType = error.type ?? 'unknown';
  await transaction(db, async (tx) => {
    const [recorded] = await tx
      .update(sagaSteps)
      .set({ state: isRefusalType(errorType) ? 'refused' : 'retrying', errorType, errorMessage: error.message })
      // An attempt that fails after its order was parked does not say that the step is being retried.
      .where(and(isStep(row), inArray(sagaSteps.state, ['running', 'retrying'])))
      .returning({ attempts: sagaSteps.attempts });
    if (recorded && row.kind === 'compensation') await openCompensationFailure(tx, row, error, recorded.attempts);
  });
}

async function openCompensationFailure(tx: Transaction, row: StepRow, error: ApplicationFailure, attempts: number) {
  await openOrderFailure(tx, row, {
    kind: 'compensation',
    step: row.step,
    errorType: error.type ?? 'unknown',
    errorMessage: error.message,
    attempts,
    nextRetryAt: nextAttemptAt(error),
  });
}
