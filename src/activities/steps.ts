import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { and, eq, sql, type SQL } from 'drizzle-orm';
import { isRefusalType, type ErrorDetails } from '../contracts/errors.ts';
import { stepKey, withSerial, type OrderRef } from '../contracts/ids.ts';
import type { OrderStep } from '../contracts/statuses.ts';
import type { Database, Transaction } from '../db/client.ts';
import { failures, orders, sagaSteps } from '../db/schema.ts';
import { transaction } from '../db/transaction.ts';
import { isLiveFailure } from '../records/failures.ts';
import { isOrder } from '../records/order-rows.ts';
import { findStep, hasBegun, isInProgress, isNotCompensated, isStep, isUnfinished, lockStep, type StepRow } from '../records/saga-steps.ts';
import { errorDetails, recordAttempt, recordCancelled, recordFailed, stopwatch, unlessAway } from './attempts.ts';
import { askUntilAnswered, compensate, compensateAtOnce, type CompensationEffect } from './compensations.ts';
import { commitStep, refuseIfCompensated, type Committing, type StepEffect } from './step-commit.ts';

/** Marks a step as done and writes its effect, in one transaction, unless an earlier attempt has done so. */
export type Commit = (effect: StepEffect) => Promise<void>;

/** What a step does that only uses Postgres. */
interface PostgresEffect extends StepEffect {
  /** @returns what an error of the commit means for the order. By default, the attempt has failed and is retried */
  refusal?: (error: unknown) => Promise<ApplicationFailure | undefined>;
}

/** An attempt that has begun. */
interface Attempt<Facts> {
  /** Of the key that the step is tried under. */
  serial: number;
  number: number;
  /** What the step reads when it begins. */
  facts: Facts;
}

/** Declares one step of an order: how to run it, and how to compensate for it. */
export function defineStep(db: Database, step: OrderStep) {
  const rowOf = ({ orderId, generation }: OrderRef): StepRow => ({ orderId, generation, step, kind: 'step' });
  return {
    /** @returns the idempotency key of the step. @param serial as `run` gives it */
    key: (ref: OrderRef, serial: number): string => withSerial(stepKey(ref, step), serial),

    /** @returns the serial of the last key that the step was tried under. It does not change once the compensation has started. */
    lastSerial: async (ref: OrderRef): Promise<number> => (await findStep(db, rowOf(ref)))?.keySerial ?? 1,

    /**
     * Lets later attempts use another key, because the service will never accept the step under this one. No attempt commits
     * what it did under this key any more. Changes nothing if the step is done: an attempt with other contents has succeeded.
     * @throws ApplicationFailure `step_undone` if the compensation has started
     */
    async retireKey(ref: OrderRef, serial: number): Promise<void> {
      const row = rowOf(ref);
      await transaction(db, async (tx) => {
        await lockStep(tx, row);
        await refuseIfCompensated(tx, row);
        await tx
          .update(sagaSteps)
          .set({ keySerial: serial + 1 })
          .where(and(isStep(row), isUnfinished, eq(sagaSteps.keySerial, serial)));
      });
    },

    /**
     * Runs the step so that its effect happens once, however often and wherever it is attempted.
     * @param facts a JSON value that `body` needs, read in the statement that begins the attempt
     * @param body calls the outside (which must be harmless if repeated), then commits
     * @throws ApplicationFailure `step_undone` if the compensation has started: a late attempt must not redo what is being undone
     */
    async run<Facts>(ref: OrderRef, facts: SQL<Facts>, body: (commit: Commit, begun: Attempt<Facts>) => Promise<void>): Promise<void> {
      const row = rowOf(ref);
      const after = stopwatch();
      const begun = await begin(db, row, facts);
      if (!begun) return;
      const attempt = { after, begun };
      const commit: Commit = async (effect) => {
        await commitStep(db, row, effect, attempt);
      };
      await recordingErrors(db, row, attempt, () => body(commit, begun));
    },

    /**
     * Runs a step that only uses Postgres, in one transaction. A failed attempt is counted when its error is recorded.
     * @returns the result that is recorded, by this attempt or by an earlier one
     * @throws as `run` does
     */
    async runInPostgres(ref: OrderRef, { refusal, ...effect }: PostgresEffect): Promise<unknown> {
      const row = rowOf(ref);
      const attempt = { after: stopwatch() };
      return await recordingErrors(db, row, attempt, async () => {
        try {
          return await commitStep(db, row, effect, attempt);
        } catch (error) {
          throw (await refusal?.(error)) ?? error;
        }
      });
    },

    /**
     * Undoes the step. Once this has started, no attempt of the step can commit, so it sees everything there is to undo.
     * If it fails, it shows among the failures at once, and is retried until it succeeds.
     * @param body undoes outside (which must be harmless if repeated, or if there is nothing to undo), then commits
     */
    compensate: (ref: OrderRef, body: (commit: (effect: CompensationEffect) => Promise<void>) => Promise<void>): Promise<void> =>
      compensate(db, { ...rowOf(ref), kind: 'compensation' }, body),

    /** Undoes a step that only uses Postgres, in one transaction. Otherwise like `compensate`. */
    compensateInPostgres: (ref: OrderRef, effect: CompensationEffect): Promise<void> =>
      compensateAtOnce(db, { ...rowOf(ref), kind: 'compensation' }, effect),

    /**
     * Asks the outside for an answer that the compensation depends on. Like a compensation, it shows among the failures
     * while it fails, and is retried until it succeeds.
     */
    askUntilAnswered: <Answer>(ref: OrderRef, ask: () => Promise<Answer>): Promise<Answer> =>
      askUntilAnswered(db, { ...rowOf(ref), kind: 'compensation' }, ask),
  };
}

/**
 * Marks a step as exhausted, and locks it: a late attempt commits either before this, and then the step is done, or after it,
 * and then it finds the failure that parked the order (see `commitStep`).
 * @returns how often the step was attempted, or undefined if it is done
 */
export async function exhaustStep(
  tx: Transaction,
  ref: OrderRef,
  step: OrderStep,
  error: ErrorDetails,
): Promise<{ attempts: number } | undefined> {
  const row: StepRow = { ...ref, step, kind: 'step' };
  const { state, attempts } = await lockStep(tx, row);
  if (state === 'done') return undefined;
  await tx
    .update(sagaSteps)
    .set({ state: 'exhausted', ...error })
    .where(isStep(row));
  // Otherwise, the activity that parks the order is repeated.
  if (state !== 'exhausted') await tx.execute(recordAttempt(row, { type: 'exhausted', attempt: attempts, error }));
  return { attempts };
}

/** Steps that do not begin once a cancellation was accepted. */
const STOPPED_BY_CANCELLATION: readonly OrderStep[] = ['charge', 'ship'];

/** Whether the order was cancelled before the first attempt of a step. One that was attempted may have succeeded. */
const isCancelledBefore = (row: StepRow): SQL =>
  STOPPED_BY_CANCELLATION.includes(row.step)
    ? sql`(exists (select from ${orders} where ${and(isOrder(row), eq(orders.cancellationStatus, 'requested'))})
        and not exists (select from ${sagaSteps} where ${and(isStep(row), hasBegun)}))`
    : sql`false`;

/**
 * Counts an attempt of a step, in one statement. Without the lock of the step: an attempt that begins just before its step is
 * compensated finds that out when it commits, and what it does outside is undone like that of any late attempt.
 * @returns undefined if the step is finished, and so must not be attempted
 * @throws ApplicationFailure `order_cancelled` before the first attempt, even if the run has not heard of the cancellation:
 * it may have been dead meanwhile. A step that was attempted before may have succeeded, so it is finished and then undone.
 */
async function begin<Facts>(db: Database, row: StepRow, facts: SQL<Facts>): Promise<Attempt<Facts> | undefined> {
  const { rows } = await db.execute<Attempt<Facts> & Record<string, unknown>>(sql`
    with begun as (
      insert into ${sagaSteps} (order_id, generation, step, kind, state, attempts)
      select ${row.orderId}::uuid, ${row.generation}::int, ${row.step}, ${row.kind}, 'running', 1 where not ${isCancelledBefore(row)}
      on conflict (order_id, generation, step, kind) do update set state = 'running', attempts = ${sagaSteps.attempts} + 1
      where ${isUnfinished} and ${isNotCompensated(row)}
      returning key_serial, attempts
    ),
    attempted as (${recordAttempt(row, { type: 'started', attempt: sql`attempts` }, { from: sql`from begun` })})
    select key_serial as serial, attempts as number, (${facts}) as facts from begun`);
  if (rows[0]) return rows[0];
  await refuseIfCompensated(db, row);
  if ((await findStep(db, row))?.state === 'done') return undefined;
  throw ApplicationFailure.nonRetryable('The order has been cancelled.', 'order_cancelled');
}

async function recordingErrors<Result>(
  db: Database,
  row: StepRow,
  attempt: Committing,
  run: () => Promise<Result>,
): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    const record = () => recordError(db, row, attempt, errorDetails(error));
    // The workflow has cancelled it, and undoes it next.
    if (error instanceof CancelledFailure) await recordCancelled(db, row, attempt);
    // A later attempt has to know it (see `refuseIfCompensated`). If it cannot be recorded, this one has not ended.
    else if (error instanceof ApplicationFailure && isRefusalType(error.type)) await record();
    else await unlessAway(record);
    throw error;
  }
}

/** Records why an attempt has failed, and shows it with its step unless that is being undone. */
async function recordError(db: Database, row: StepRow, { after, begun }: Committing, error: ErrorDetails): Promise<void> {
  const took = after();
  const state = isRefusalType(error.errorType) ? 'refused' : 'retrying';
  const isParked = sql`exists (select from ${failures} where ${isLiveFailure(row, row)} and ${eq(failures.status, 'open')})`;
  await transaction(db, async (tx) => {
    await lockStep(tx, row);
    const [failed] = await tx
      .update(sagaSteps)
      .set({ state, attempts: sql`${sagaSteps.attempts} + ${begun ? 0 : 1}`, ...error })
      .where(
        and(
          isStep(row),
          isNotCompensated(row),
          // An attempt that fails after its order was parked does not say that the step is being retried.
          sql`(${isInProgress} or (${eq(sagaSteps.state, 'exhausted')} and not ${isParked}))`,
        ),
      )
      .returning({ attempts: sagaSteps.attempts });
    // One that never began, and does not count either, has left nothing.
    const attempt = begun?.number ?? failed?.attempts;
    const type = state === 'refused' ? 'refused' : 'failed';
    if (attempt !== undefined) await tx.execute(recordFailed(row, { type, attempt, after: took, error }));
  });
}
