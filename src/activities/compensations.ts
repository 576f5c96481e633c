import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { sql, type SQL } from 'drizzle-orm';
import type { Database, Transaction } from '../db/client.ts';
import { sagaSteps } from '../db/schema.ts';
import { transaction } from '../db/transaction.ts';
import { closeFailures } from '../records/failures.ts';
import { interruptStep, isStep, isUnfinished, markUndone, STEP_KEY, type StepRow } from '../records/saga-steps.ts';
import { toApplicationFailure } from './errors.ts';
import { openOrderFailure } from './open-failure.ts';
import { nextAttemptAt, withSpreadDelay } from './retry-delay.ts';
import type { StepFacts } from './step-commit.ts';

/**
 * What a compensation writes when it succeeds.
 * @returns what it records
 */
export type CompensationEffect = (tx: Transaction) => Promise<StepFacts>;

/** Counts an attempt of a compensation, then runs `body`. Its effect commits together with the row, and only once. */
export async function compensate(
  db: Database,
  row: StepRow,
  body: (commit: (effect: CompensationEffect) => Promise<void>) => Promise<void>,
): Promise<void> {
  if (!(await transaction(db, (tx) => begin(tx, row)))) return;
  await recordingErrors(db, row, { isCounted: true }, () => body((effect) => commit(db, row, effect, { isCounted: true })));
}

/** Does the same in one transaction. A failed attempt is counted when its error is recorded. */
export const compensateAtOnce = (db: Database, row: StepRow, effect: CompensationEffect): Promise<void> =>
  recordingErrors(db, row, { isCounted: false }, () => commit(db, row, effect, { isCounted: false }));

/** See `defineStep`. */
export async function askUntilAnswered<Answer>(db: Database, row: StepRow, ask: () => Promise<Answer>): Promise<Answer> {
  try {
    const answer = await ask();
    await transaction(db, (tx) => closeFailures(tx, row, row, 'resolved', 'The service answered.'));
    return answer;
  } catch (error) {
    const retried = neverGivingUp(error);
    await transaction(db, (tx) => openCompensationFailure(tx, row, retried, activityInfo().attempt));
    throw retried;
  }
}

/** @returns whether the compensation is still to be done */
async function begin(tx: Transaction, row: StepRow): Promise<boolean> {
  await interruptStep(tx, row);
  return (await write(tx, row, { state: 'running' }, { counts: true })) !== undefined;
}

async function commit(db: Database, row: StepRow, effect: CompensationEffect, { isCounted }: { isCounted: boolean }): Promise<void> {
  await transaction(db, async (tx) => {
    await interruptStep(tx, row);
    const done = { state: 'done', errorType: null, errorMessage: null, finishedAt: sql`now()` } as const;
    if (!(await write(tx, row, done, { counts: !isCounted }))) return;
    await markUndone(tx, row);
    await closeFailures(tx, row, row, 'resolved', 'The compensation succeeded.');
    const result = await effect(tx);
    await tx.update(sagaSteps).set({ result }).where(isStep(row));
  });
}

async function recordingErrors(db: Database, row: StepRow, { isCounted }: { isCounted: boolean }, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (thrown) {
    if (thrown instanceof CancelledFailure) throw thrown;
    const error = neverGivingUp(thrown);
    await transaction(db, async (tx) => {
      await interruptStep(tx, row);
      const failing = { state: 'retrying', errorType: error.type, errorMessage: error.message } as const;
      const written = await write(tx, row, failing, { counts: !isCounted });
      if (written) await openCompensationFailure(tx, row, error, written.attempts);
    });
    throw error;
  }
}

type Columns = Omit<typeof sagaSteps.$inferInsert, keyof StepRow | 'finishedAt'> & { finishedAt?: SQL };

/**
 * Writes the row of a compensation, unless it is done.
 * @param options `counts`: whether this counts the attempt
 */
async function write(tx: Transaction, row: StepRow, columns: Columns, { counts }: { counts: boolean }): Promise<{ attempts: number } | undefined> {
  const { orderId, generation, step, kind } = row;
  const [written] = await tx
    .insert(sagaSteps)
    .values({ orderId, generation, step, kind, ...columns, attempts: 1 })
    .onConflictDoUpdate({
      target: STEP_KEY,
      set: { ...columns, attempts: sql`${sagaSteps.attempts} + ${counts ? 1 : 0}` },
      setWhere: isUnfinished,
    })
    .returning({ attempts: sagaSteps.attempts });
  return written;
}

/** Retries even permanent errors: giving up would keep what belongs to someone else. */
function neverGivingUp(error: unknown): ApplicationFailure {
  const { type, message, nextRetryDelay } = toApplicationFailure(error);
  return withSpreadDelay(
    ApplicationFailure.create({ message, type: type ?? 'unknown', ...(nextRetryDelay ? { nextRetryDelay } : {}) }),
    activityInfo(),
  );
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
