import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { sql, type SQL } from 'drizzle-orm';
import type { Database, Transaction } from '../db/client.ts';
import { sagaSteps } from '../db/schema.ts';
import { transaction } from '../db/transaction.ts';
import { closeFailures } from '../records/failures.ts';
import { findStep, interruptStep, isStep, isUnfinished, markUndone, STEP_KEY, type StepRow } from '../records/saga-steps.ts';
import { errorDetails, recordAttempt, recordCancelled, recordFailed, stopwatch, unlessAway, type Ongoing } from './attempts.ts';
import { beginCall, isAnsweredSince, recordAnswered, recordUnanswered } from './calls.ts';
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
  const after = stopwatch();
  const begun = await transaction(db, (tx) => begin(tx, row));
  if (!begun) return;
  const attempt = { after, begun };
  await recordingErrors(db, row, attempt, () => body((effect) => commit(db, row, effect, attempt)));
}

/** Does the same in one transaction. A failed attempt is counted when its error is recorded. */
export async function compensateAtOnce(db: Database, row: StepRow, effect: CompensationEffect): Promise<void> {
  const attempt = { after: stopwatch() };
  await recordingErrors(db, row, attempt, () => commit(db, row, effect, attempt));
}

/** See `defineStep`. */
export async function askUntilAnswered<Answer>(db: Database, row: StepRow, ask: () => Promise<Answer>): Promise<Answer> {
  const call = { ...row, kind: 'withdrawal' } as const;
  const attempt = await beginCall(db, call);
  try {
    const answer = await ask();
    await transaction(db, async (tx) => {
      await recordAnswered(tx, call, attempt);
      await closeFailures(tx, row, row, 'resolved', 'The service answered.');
    });
    return answer;
  } catch (thrown) {
    const error = neverGivingUp(thrown);
    await unlessAway(() =>
      transaction(db, async (tx) => {
        await recordUnanswered(tx, call, attempt, { type: 'failed', error: errorDetails(error) });
        // Nothing would close it: the order has gone on since a frozen worker asked.
        const isOver = (await isAnsweredSince(tx, call, attempt)) || (await findStep(tx, { ...row, kind: 'compensation' }));
        if (isOver) return;
        await openCompensationFailure(tx, row, error, activityInfo().attempt);
      }),
    );
    throw error;
  }
}

/** @returns undefined if the compensation is done */
async function begin(tx: Transaction, row: StepRow): Promise<Ongoing['begun']> {
  await interruptStep(tx, row);
  const number = await write(tx, row, { state: 'running' }, { counts: true });
  if (number === undefined) return undefined;
  await tx.execute(recordAttempt(row, { type: 'started', attempt: number }));
  return { number };
}

async function commit(db: Database, row: StepRow, effect: CompensationEffect, { after, begun }: Ongoing): Promise<void> {
  await transaction(db, async (tx) => {
    await interruptStep(tx, row);
    const done = { state: 'done', errorType: null, errorMessage: null, finishedAt: sql`now()` } as const;
    const attempts = await write(tx, row, done, { counts: !begun });
    if (attempts === undefined) return;
    await markUndone(tx, row);
    await closeFailures(tx, row, row, 'resolved', 'The compensation succeeded.');
    const result = await effect(tx);
    await tx.update(sagaSteps).set({ result }).where(isStep(row));
    await tx.execute(recordAttempt(row, { type: 'undone', attempt: begun?.number ?? attempts, after: after() }));
  });
}

async function recordingErrors(db: Database, row: StepRow, attempt: Ongoing, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (thrown) {
    if (thrown instanceof CancelledFailure) {
      await recordCancelled(db, row, attempt);
      throw thrown;
    }
    const error = neverGivingUp(thrown);
    await unlessAway(() => recordError(db, row, attempt, error));
    throw error;
  }
}

/** Records why an attempt has failed, and opens a failure. An attempt that fails after another one has succeeded has its entry, too. */
async function recordError(db: Database, row: StepRow, { after, begun }: Ongoing, failure: ApplicationFailure): Promise<void> {
  const error = errorDetails(failure);
  const took = after();
  await transaction(db, async (tx) => {
    await interruptStep(tx, row);
    const attempts = await write(tx, row, { state: 'retrying', ...error }, { counts: !begun });
    const attempt = begun?.number ?? attempts;
    if (attempt !== undefined) await tx.execute(recordFailed(row, { type: 'failed', attempt, after: took, error }));
    if (attempts !== undefined) await openCompensationFailure(tx, row, failure, attempts);
  });
}

type Columns = Omit<typeof sagaSteps.$inferInsert, keyof StepRow | 'finishedAt'> & { finishedAt?: SQL };

/**
 * Writes the row of a compensation, unless it is done.
 * @param options `counts`: whether this counts the attempt
 * @returns how many attempts there were
 */
async function write(tx: Transaction, row: StepRow, columns: Columns, { counts }: { counts: boolean }): Promise<number | undefined> {
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
  return written?.attempts;
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
    ...errorDetails(error),
    attempts,
    nextRetryAt: nextAttemptAt(error),
  });
}
