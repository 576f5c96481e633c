import { ApplicationFailure } from '@temporalio/common';
import { and, eq, is, SQL, sql } from 'drizzle-orm';
import { STEP_UNDONE } from '../contracts/errors.ts';
import { orderWorkflowId, type OrderRef } from '../contracts/ids.ts';
import type { OrderStatus } from '../contracts/statuses.ts';
import type { Database, Transaction } from '../db/client.ts';
import { sagaSteps } from '../db/schema.ts';
import { statement, transaction } from '../db/transaction.ts';
import { enqueueCommand, isAsked } from '../records/commands.ts';
import { closeFailures, type FailureRef } from '../records/failures.ts';
import { statusChange } from '../records/order-status.ts';
import { lockOrder } from '../records/orders.ts';
import { findStep, isStep, isUndisturbed, lockStep, type StepRow } from '../records/saga-steps.ts';
import { recordAttempt, type Ongoing } from './attempts.ts';

/** What a step records for people to read. No personal data. */
export type StepFacts = Record<string, string | number | boolean>;

/** What a step writes when it succeeds. */
export interface StepEffect {
  result?: StepFacts | SQL | undefined;
  /** The order's next status. */
  status?: OrderStatus;
  /**
   * Statements that take part in the commit, as `name as (…)`. They write nothing unless `isCommitting`. Rows that many orders
   * share come last, so that they are locked for as short as possible.
   */
  writes?: readonly SQL[];
  /** If an earlier key stands for the effect of the step after all: its serial. */
  keySerial?: number;
}

/** An attempt that is about to commit. */
export interface Committing extends Ongoing {
  /** With the serial of the key that it uses. */
  begun?: { number: number; serial: number };
}

/** False in the statement of an attempt that must not commit. */
export const isCommitting = sql`exists (select from finished)`;

/**
 * Commits an attempt: marks its step as done and writes the effect, in one statement, if nothing but this attempt has happened to
 * the step. Otherwise it locks the step and looks first. Does nothing if an earlier attempt has done so.
 * @returns the result that is recorded, by this attempt or by an earlier one: later attempts give the same answer
 * @throws ApplicationFailure `step_undone`; `key_retired` if the key of the attempt is no longer that of the step
 */
export async function commitStep(db: Database, row: StepRow, effect: StepEffect, attempt: Committing): Promise<unknown> {
  const { begun } = attempt;
  const finished = begun ? finish(row, effect, and(isUndisturbed, eq(sagaSteps.keySerial, begun.serial))) : insertFinished(row, effect);
  const { isFinished, result } = await statement(db, () => writeEffect(db, finished, row, effect, attempt));
  return isFinished ? result : await transaction(db, (tx) => commitUnderLock(tx, row, effect, attempt));
}

/** After the lock, each statement sees what its last holder has committed. */
async function commitUnderLock(tx: Transaction, row: StepRow, effect: StepEffect, attempt: Committing): Promise<unknown> {
  const { begun } = attempt;
  const { state, keySerial, result } = await lockStep(tx, row);
  if (state === 'done') {
    // Another attempt was faster. This one has succeeded, too.
    if (begun) await tx.execute(recordAttempt(row, { type: 'done', attempt: begun.number, after: attempt.after() }));
    return result;
  }
  await refuseIfCompensated(tx, row);
  if (begun && begun.serial !== keySerial) {
    throw ApplicationFailure.retryable('The key was retired meanwhile.', 'key_retired');
  }
  await lockOrder(tx, row.orderId);
  const closed = await closeFailures(tx, row, row, 'resolved', 'The step succeeded.');
  for (const parking of closed) await wakeRun(tx, row, parking);
  return (await writeEffect(tx, finish(row, effect, undefined, { counts: !begun }), row, effect, attempt)).result;
}

/** @returns whether the step was finished, with which result; otherwise nothing was written */
async function writeEffect(
  db: Pick<Database, 'update' | 'execute'>,
  finished: SQL,
  row: StepRow,
  { status, writes = [] }: StepEffect,
  { after, begun }: Committing,
): Promise<{ isFinished: boolean; result: unknown }> {
  const changes = [
    sql`finished as (${finished} returning order_id, result, attempts)`,
    sql`attempted as (${recordAttempt(row, { type: 'done', attempt: begun?.number ?? sql`attempts`, after: after() }, { from: sql`from finished` })})`,
    ...(status ? [statusChange(db, row, status, {}, isCommitting)] : []),
    ...writes,
  ];
  // Postgres first writes what is selected. So nothing waits for the order while it holds what other orders need, too.
  const moved = status ? sql`, exists (select from moved)` : sql``;
  const { rows } = await db.execute<{ isFinished: boolean; result: unknown }>(
    sql`with ${sql.join(changes, sql`, `)} select ${isCommitting} as "isFinished", (select result from finished) as result${moved}`,
  );
  return rows[0] ?? { isFinished: false, result: null };
}

const insertFinished = (row: StepRow, { result }: StepEffect): SQL => sql`
  insert into ${sagaSteps} (order_id, generation, step, kind, state, attempts, result, finished_at)
  values (${row.orderId}, ${row.generation}, ${row.step}, ${row.kind}, 'done', 1, ${json(result)}, now())
  on conflict do nothing`;

const finish = (row: StepRow, { result, keySerial }: StepEffect, condition?: SQL, { counts } = { counts: false }): SQL => sql`
  update ${sagaSteps} set state = 'done', attempts = attempts + ${counts ? 1 : 0}, result = ${json(result)},
    key_serial = ${keySerial ?? sagaSteps.keySerial}, error_type = null, error_message = null, finished_at = now()
  where ${and(isStep(row), condition)}`;

const json = (result: StepEffect['result']): SQL => {
  if (result === undefined) return sql`null::jsonb`;
  return is(result, SQL) ? result : sql`${JSON.stringify(result)}::jsonb`;
};

/**
 * @throws ApplicationFailure `step_undone` if the compensation has started; or the refusal of the step. When a worker dies, the
 * run repeats the local activities of its workflow task: it must be refused again, or it would park what it has just undone.
 */
export async function refuseIfCompensated(db: Pick<Database, 'select'>, row: StepRow): Promise<void> {
  if (!(await findStep(db, { ...row, kind: 'compensation' }))) return;
  const found = await findStep(db, row);
  if (found?.state === 'refused' && found.errorType) throw ApplicationFailure.nonRetryable(found.errorMessage, found.errorType);
  throw ApplicationFailure.nonRetryable(`The step "${row.step}" has been undone.`, STEP_UNDONE);
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
