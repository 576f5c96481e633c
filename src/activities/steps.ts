import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { and, eq, inArray, isNotNull, notInArray, sql, type SQL } from 'drizzle-orm';
import { isRefusalType, STEP_UNDONE, type ErrorDetails } from '../contracts/errors.ts';
import { orderWorkflowId, stepKey, withSerial, type OrderRef } from '../contracts/ids.ts';
import type { OrderStep, STEP_STATES, StepKind } from '../contracts/statuses.ts';
import type { Database, Transaction } from '../db/client.ts';
import { failures, orders, sagaSteps } from '../db/schema.ts';
import { transaction } from '../db/transaction.ts';
import { enqueueCommand, isAsked } from '../records/commands.ts';
import { closeFailures, isLiveFailure, type FailureRef } from '../records/failures.ts';
import { isOf, isOrder } from '../records/order-rows.ts';
import { toApplicationFailure } from './errors.ts';
import { openOrderFailure } from './open-failure.ts';
import { nextAttemptAt, withSpreadDelay } from './retry-delay.ts';

/** What a step records for people to read. No personal data. */
export type StepFacts = Record<string, string | number | boolean>;

/**
 * Marks a step as done and writes its effect, in one transaction, unless an earlier attempt has done so.
 * @param result what the step records; what `effect` returns replaces it, at the cost of another statement
 */
export type Commit = (effect: (tx: Transaction) => Promise<StepFacts | void>, result?: StepFacts) => Promise<void>;

/** An attempt that has begun. */
interface Attempt<Facts> {
  /** Of the key that the step is tried under. */
  serial: number;
  /** What the step reads when it begins. */
  facts: Facts;
}

/** What a step or a compensation does that only uses Postgres. */
interface Effect {
  /** An expression for what the step records. What `write` returns replaces it, at the cost of another statement. */
  result?: SQL | undefined;
  write: (tx: Transaction) => Promise<StepFacts | void>;
  /** Runs last, so that rows that many orders share are locked for as short as possible. */
  writeContended?: (tx: Transaction) => Promise<void>;
}

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
     * @param facts a JSON value that `body` needs, read in the statement that begins the attempt
     * @param body calls the outside (which must be harmless if repeated), then commits
     * @throws ApplicationFailure `step_undone` if the compensation has started: a late attempt must not redo what is being undone
     */
    run: <Facts>(ref: OrderRef, facts: SQL<Facts>, body: (commit: Commit, begun: Attempt<Facts>) => Promise<void>): Promise<void> =>
      attempt(db, { ...ref, step, kind: 'step' }, facts, body),

    /**
     * Undoes the step. Once this has started, no attempt of the step can commit, so it sees everything there is to undo.
     * If it fails, it shows among the failures at once, and is retried until it succeeds.
     * @param body undoes outside (which must be harmless if repeated, or if there is nothing to undo), then commits
     */
    compensate: (ref: OrderRef, body: (commit: Commit) => Promise<void>): Promise<void> =>
      attempt(db, { ...ref, step, kind: 'compensation' }, sql<null>`null`, body),

    /** Runs a step that only uses Postgres, in one transaction. @throws as `run` does */
    runInPostgres: (ref: OrderRef, effect: Effect): Promise<void> => attemptAtOnce(db, { ...ref, step, kind: 'step' }, effect),

    /** Undoes a step that only uses Postgres, in one transaction. Otherwise like `compensate`. */
    compensateInPostgres: (ref: OrderRef, effect: Effect): Promise<void> =>
      attemptAtOnce(db, { ...ref, step, kind: 'compensation' }, effect),

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
async function attempt<Facts>(
  db: Database,
  row: StepRow,
  facts: SQL<Facts>,
  body: (commit: Commit, begun: Attempt<Facts>) => Promise<void>,
): Promise<void> {
  const begun = row.kind === 'step' ? await begin(db, row, facts) : await transaction(db, (tx) => beginUndoing(tx, row, facts));
  if (!begun) return;
  const commit: Commit = (write, result) =>
    commitOnce(db, row, { serial: begun.serial, result: result && sql`${JSON.stringify(result)}::jsonb`, write });
  await recordingErrors(db, row, { isCounted: true }, () => body(commit, begun));
}

/** Does the same in one transaction. A failed attempt is counted when its error is recorded. */
const attemptAtOnce = (db: Database, row: StepRow, effect: Effect): Promise<void> =>
  recordingErrors(db, row, { isCounted: false }, () => commitOnce(db, row, effect));

async function recordingErrors(db: Database, row: StepRow, options: { isCounted: boolean }, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (thrown) {
    // The workflow has cancelled it, and undoes it next.
    if (thrown instanceof CancelledFailure) throw thrown;
    const error = row.kind === 'compensation' ? neverGivingUp(thrown) : thrown;
    await recordError(db, row, options, toApplicationFailure(error));
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

async function findStep(db: Pick<Database, 'select'>, row: StepRow) {
  const [found] = await db.select().from(sagaSteps).where(isStep(row));
  return found;
}

const FINISHED = ['done', 'undone'] as const satisfies (typeof STEP_STATES)[number][];
const isUnfinished = notInArray(sagaSteps.state, [...FINISHED]);

const isFinished = (found: Awaited<ReturnType<typeof findStep>>): boolean => FINISHED.some((state) => state === found?.state);

const compensationOf = (row: StepRow): StepRow => ({ ...row, kind: 'compensation' });

/**
 * @throws ApplicationFailure `step_undone` if the compensation has started; or the refusal of the step. When a worker dies, the
 * run repeats the local activities of its workflow task: it must be refused again, or it would park what it has just undone.
 */
async function refuseIfCompensated(db: Pick<Database, 'select'>, row: StepRow): Promise<void> {
  if (row.kind === 'compensation' || !(await findStep(db, compensationOf(row)))) return;
  const found = await findStep(db, row);
  if (found?.state === 'refused' && found.errorType) throw ApplicationFailure.nonRetryable(found.errorMessage, found.errorType);
  throw ApplicationFailure.nonRetryable(`The step "${row.step}" has been undone.`, STEP_UNDONE);
}

/** Whether a row may be written: a compensation always, a step unless its compensation has started. */
const isNotCompensated = (row: StepRow): SQL =>
  row.kind === 'compensation' ? sql`true` : sql`not exists (select from ${sagaSteps} where ${isStep(compensationOf(row))})`;

/** Steps that do not begin once a cancellation was accepted. */
const STOPPED_BY_CANCELLATION: readonly OrderStep[] = ['charge', 'ship'];

/** Whether the order was cancelled before the first attempt of a step. One that was attempted may have succeeded. */
const isCancelledBefore = (row: StepRow): SQL =>
  STOPPED_BY_CANCELLATION.includes(row.step)
    ? sql`(exists (select from ${orders} where ${and(isOrder(row), isNotNull(orders.cancellationReason))})
        and not exists (select from ${sagaSteps} where ${isStep(row)}))`
    : sql`false`;

/**
 * Counts an attempt of a step, in one statement. Without the lock of the step: an attempt that begins just before its step is
 * compensated finds that out when it commits, and what it does outside is undone like that of any late attempt.
 * @returns undefined if the step is finished, and so must not be attempted
 * @throws ApplicationFailure `order_cancelled` before the first attempt, even if the run has not heard of the cancellation:
 * it may have been dead meanwhile. A step that was attempted before may have succeeded, so it is finished and then undone.
 */
async function begin<Facts>(db: Database, row: StepRow, facts: SQL<Facts>): Promise<Attempt<Facts> | undefined> {
  const begun = await countAttempt(db, row, facts, sql`${isNotCompensated(row)} and not ${isCancelledBefore(row)}`);
  if (begun) return begun;
  await refuseIfCompensated(db, row);
  if (isFinished(await findStep(db, row))) return undefined;
  throw ApplicationFailure.nonRetryable('The order has been cancelled.', 'order_cancelled');
}

/** Counts an attempt of a compensation. Its row tells attempts of the step that they must not commit, so it takes the lock. */
async function beginUndoing<Facts>(tx: Transaction, row: StepRow, facts: SQL<Facts>): Promise<Attempt<Facts> | undefined> {
  await lockStep(tx, row);
  return await countAttempt(tx, row, facts, sql`true`);
}

async function countAttempt<Facts>(
  db: Pick<Database, 'execute'>,
  row: StepRow,
  facts: SQL<Facts>,
  condition: SQL,
): Promise<Attempt<Facts> | undefined> {
  const { rows } = await db.execute<Attempt<Facts> & Record<string, unknown>>(sql`
    insert into ${sagaSteps} (order_id, generation, step, kind, state, attempts)
    select ${row.orderId}::uuid, ${row.generation}::int, ${row.step}, ${row.kind}, 'running', 1 where ${condition}
    on conflict (order_id, generation, step, kind) do update set state = 'running', attempts = ${sagaSteps.attempts} + 1
    where ${isUnfinished}
    returning key_serial as serial, (${facts}) as facts`);
  return rows[0];
}

/**
 * Commits an attempt: marks the row as done, then writes the effect. Does nothing if an earlier attempt has done so.
 * @param work `serial` is that of the key the attempt used; without it, this also counts the attempt
 * @throws ApplicationFailure `step_undone`; `key_retired` if the key of the attempt is no longer that of the step
 */
async function commitOnce(db: Database, row: StepRow, work: Effect & { serial?: number }): Promise<void> {
  await transaction(db, async (tx) => {
    await lockStep(tx, row);
    const finished = await finish(tx, row, work);
    if (!finished) return await explain(tx, row);
    const result = await work.write(tx);
    if (result) await tx.update(sagaSteps).set({ result }).where(isStep(row));
    if (finished.hasFailure) await resolveFailures(tx, row);
    await work.writeContended?.(tx);
  });
}

/** Says why an attempt could not commit. @throws ApplicationFailure unless the step is finished, so that all is well */
async function explain(tx: Transaction, row: StepRow): Promise<void> {
  const found = await findStep(tx, row);
  if (found?.state === 'done') return;
  await refuseIfCompensated(tx, row);
  if (isFinished(found)) return;
  throw ApplicationFailure.retryable('The key was retired meanwhile.', 'key_retired');
}

/**
 * The statement after the lock, so that it sees what the last holder of the lock has committed.
 * @returns undefined if nothing was changed: the step is finished or undone, or its key was retired
 */
async function finish(
  tx: Transaction,
  row: StepRow,
  { serial, result }: { serial?: number; result?: SQL | undefined },
): Promise<{ hasFailure: boolean } | undefined> {
  const { rows } = await tx.execute<{ hasFailure: boolean }>(sql`
    insert into ${sagaSteps} (order_id, generation, step, kind, state, attempts, result, finished_at)
    select ${row.orderId}::uuid, ${row.generation}::int, ${row.step}, ${row.kind}, 'done', 1, ${result ?? sql`null::jsonb`}, now()
    where ${isNotCompensated(row)}
    on conflict (order_id, generation, step, kind) do update
    set state = 'done', attempts = ${sagaSteps.attempts} + ${serial === undefined ? 1 : 0}, result = excluded.result,
      error_type = null, error_message = null, finished_at = now()
    where ${isUnfinished} and ${serial === undefined ? sql`true` : eq(sagaSteps.keySerial, serial)}
    returning exists (select from ${failures} where ${isLiveFailure(row, row)}) as "hasFailure"`);
  if (rows[0] && row.kind === 'compensation') {
    await tx
      .update(sagaSteps)
      .set({ state: 'undone' })
      // An interrupted step, too: whatever it did outside is undone by now.
      .where(and(isStep({ ...row, kind: 'step' }), inArray(sagaSteps.state, ['running', 'retrying', 'done'])));
  }
  return rows[0];
}

async function resolveFailures(tx: Transaction, row: StepRow): Promise<void> {
  const closed = await closeFailures(tx, row, row, 'resolved', `The ${row.kind} succeeded.`);
  if (row.kind === 'step') for (const parking of closed) await wakeRun(tx, row, parking);
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

async function recordError(db: Database, row: StepRow, { isCounted }: { isCounted: boolean }, error: ApplicationFailure): Promise<void> {
  const errorType = error.type ?? 'unknown';
  const state = isRefusalType(errorType) ? 'refused' : 'retrying';
  const isParked = sql`exists (select from ${failures} where ${isLiveFailure(row, row)} and ${eq(failures.status, 'open')})`;
  await transaction(db, async (tx) => {
    await lockStep(tx, row);
    const { rows } = await tx.execute<{ attempts: number }>(sql`
      insert into ${sagaSteps} (order_id, generation, step, kind, state, attempts, error_type, error_message)
      select ${row.orderId}::uuid, ${row.generation}::int, ${row.step}, ${row.kind}, ${state}, 1, ${errorType}, ${error.message}
      where ${isNotCompensated(row)}
      on conflict (order_id, generation, step, kind) do update
      set state = ${state}, attempts = ${sagaSteps.attempts} + ${isCounted ? 0 : 1}, error_type = ${errorType}, error_message = ${error.message}
      -- An attempt that fails after its order was parked does not say that the step is being retried.
      where ${inArray(sagaSteps.state, ['running', 'retrying'])} or (${eq(sagaSteps.state, 'exhausted')} and not ${isParked})
      returning attempts`);
    if (rows[0] && row.kind === 'compensation') await openCompensationFailure(tx, row, error, rows[0].attempts);
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
