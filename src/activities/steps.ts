import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { and, eq, inArray, notInArray, sql } from 'drizzle-orm';
import { isRefusalType, STEP_UNDONE } from '../contracts/errors.ts';
import { orderWorkflowId, stepKey, type OrderRef } from '../contracts/ids.ts';
import type { OrderStep, StepKind } from '../contracts/statuses.ts';
import type { Database, Transaction } from '../db/client.ts';
import { sagaSteps } from '../db/schema.ts';
import { closeFailures, openFailure } from '../intake/failures.ts';
import { toApplicationFailure } from './failure-details.ts';

/** What a step leaves behind for people to read. No personal data. */
export type StepFacts = Record<string, string | number | boolean>;

/** Writes the effect of a step in Postgres and the step's row in one transaction, unless an earlier attempt has done so. */
export type Commit = (effect: (tx: Transaction) => Promise<StepFacts>) => Promise<void>;

/**
 * Runs one step of an order so that its effect happens once, however often and wherever the step is attempted.
 * @param body asks the outside (which must be harmless when repeated), then commits
 * @throws ApplicationFailure `step_undone` when the compensation has begun: a late attempt must not do again what is being undone
 */
export async function runStep(
  db: Database,
  ref: OrderRef,
  step: OrderStep,
  body: (commit: Commit) => Promise<void>,
): Promise<void> {
  const begun = await db.transaction(async (tx) => {
    await lockStep(tx, ref, step);
    await refuseWhenCompensated(tx, ref, step);
    return await countAttempt(tx, ref, step, 'step');
  });
  if (begun === 'done') return;
  try {
    await body((effect) =>
      db.transaction(async (tx) => {
        await lockStep(tx, ref, step);
        if ((await findStep(tx, ref, step, 'step'))?.state === 'done') return;
        await refuseWhenCompensated(tx, ref, step);
        const facts = await effect(tx);
        await finish(tx, ref, step, 'step', facts);
        await closeFailures(tx, ref, { kind: 'step', step }, 'resolved', 'The step succeeded.');
      }),
    );
  } catch (error) {
    await noteFailure(db, ref, step, 'step', error);
    throw error;
  }
}

/**
 * Undoes one step of an order. From the moment it begins, no attempt of the step can commit any more, so what it sees
 * is what there is to undo. A compensation that fails shows at once among the failures, and is tried again for ever.
 * @param body undoes outside (which must be harmless when repeated, or when there is nothing to undo), then commits
 */
export async function runCompensation(
  db: Database,
  ref: OrderRef,
  step: OrderStep,
  body: (commit: Commit) => Promise<void>,
): Promise<void> {
  const begun = await db.transaction(async (tx) => {
    await lockStep(tx, ref, step);
    return await countAttempt(tx, ref, step, 'compensation');
  });
  if (begun === 'done') return;
  try {
    await body((effect) =>
      db.transaction(async (tx) => {
        await lockStep(tx, ref, step);
        if ((await findStep(tx, ref, step, 'compensation'))?.state === 'done') return;
        const facts = await effect(tx);
        await finish(tx, ref, step, 'compensation', facts);
        await tx
          .update(sagaSteps)
          .set({ state: 'undone' })
          // An interrupted step too: whatever it has done outside is undone by now.
          .where(and(isStep(ref, step, 'step'), inArray(sagaSteps.state, ['running', 'retrying', 'done'])));
        await closeFailures(tx, ref, { kind: 'compensation', step }, 'resolved', 'The compensation succeeded.');
      }),
    );
  } catch (error) {
    await noteFailure(db, ref, step, 'compensation', error);
    throw neverGivingUp(error);
  }
}

/**
 * Asks the outside for something without which nothing can be undone. Like a compensation it shows among the failures
 * while it fails, and is tried again for ever.
 */
export async function askUntilAnswered<Answer>(
  db: Database,
  ref: OrderRef,
  step: OrderStep,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  try {
    const answer = await ask();
    await db.transaction((tx) =>
      closeFailures(tx, ref, { kind: 'compensation', step }, 'resolved', 'The answer has come.'),
    );
    return answer;
  } catch (error) {
    await db.transaction((tx) => showFailure(tx, ref, step, toApplicationFailure(error), activityInfo().attempt));
    throw neverGivingUp(error);
  }
}

/** Whatever it is, giving up would keep what is someone else's. */
function neverGivingUp(error: unknown): ApplicationFailure {
  const { type, message, nextRetryDelay } = toApplicationFailure(error);
  return ApplicationFailure.create({ message, type: type ?? 'unknown', ...(nextRetryDelay ? { nextRetryDelay } : {}) });
}

const isStep = ({ orderId, generation }: OrderRef, step: OrderStep, kind: StepKind) =>
  and(
    eq(sagaSteps.orderId, orderId),
    eq(sagaSteps.generation, generation),
    eq(sagaSteps.step, step),
    eq(sagaSteps.kind, kind),
  );

/** A step and its compensation exclude each other, also while neither has a row yet: hence an advisory lock. */
async function lockStep(tx: Transaction, ref: OrderRef, step: OrderStep): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${stepKey(ref, step)}, 0))`);
}

async function findStep(tx: Transaction, ref: OrderRef, step: OrderStep, kind: StepKind) {
  const [row] = await tx.select({ state: sagaSteps.state }).from(sagaSteps).where(isStep(ref, step, kind));
  return row;
}

async function refuseWhenCompensated(tx: Transaction, ref: OrderRef, step: OrderStep): Promise<void> {
  if (await findStep(tx, ref, step, 'compensation')) {
    throw ApplicationFailure.nonRetryable(`The step "${step}" has been undone.`, STEP_UNDONE);
  }
}

const unlessFinished = (change: string, keep: string) =>
  sql.raw(`case when saga_steps.state in ('done', 'undone') then ${keep} else ${change} end`);

async function countAttempt(tx: Transaction, ref: OrderRef, step: OrderStep, kind: StepKind) {
  const [row] = await tx
    .insert(sagaSteps)
    .values({ ...ref, step, kind, state: 'running', attempts: 1 })
    .onConflictDoUpdate({
      target: [sagaSteps.orderId, sagaSteps.generation, sagaSteps.step, sagaSteps.kind],
      set: {
        state: unlessFinished(`'running'`, 'saga_steps.state'),
        attempts: unlessFinished('saga_steps.attempts + 1', 'saga_steps.attempts'),
      },
    })
    .returning({ state: sagaSteps.state });
  return row?.state;
}

async function finish(tx: Transaction, ref: OrderRef, step: OrderStep, kind: StepKind, result: StepFacts) {
  await tx
    .update(sagaSteps)
    .set({ state: 'done', result, errorType: null, errorMessage: null, finishedAt: sql`now()` })
    .where(isStep(ref, step, kind));
}

async function noteFailure(db: Database, ref: OrderRef, step: OrderStep, kind: StepKind, error: unknown) {
  const { message, type } = toApplicationFailure(error);
  const errorType = type ?? 'unknown';
  await db.transaction(async (tx) => {
    const [noted] = await tx
      .update(sagaSteps)
      .set({ state: isRefusalType(errorType) ? 'refused' : 'retrying', errorType, errorMessage: message })
      .where(and(isStep(ref, step, kind), notInArray(sagaSteps.state, ['done', 'undone'])))
      .returning({ attempts: sagaSteps.attempts });
    if (noted && kind === 'compensation') await showFailure(tx, ref, step, { type, message }, noted.attempts);
  });
}

async function showFailure(
  tx: Transaction,
  ref: OrderRef,
  step: OrderStep,
  { type, message }: Pick<ApplicationFailure, 'type' | 'message'>,
  attempts: number,
) {
  await openFailure(tx, {
    kind: 'compensation',
    workflowId: orderWorkflowId(ref.orderId),
    runId: activityInfo().workflowExecution?.runId ?? null,
    ...ref,
    step,
    errorType: type ?? 'unknown',
    errorMessage: message,
    attempts,
  });
}
