import { and, eq, isNotNull, sql } from 'drizzle-orm';
import type { Instruction } from '../contracts/caller.ts';
import type { BookFix } from '../contracts/books.ts';
import { RequestError } from '../contracts/request-error.ts';
import { FINAL_ORDER_STATUSES, FINAL_SIGNUP_STATUSES } from '../contracts/statuses.ts';
import type { Transaction } from '../db/client.ts';
import { differences, failures, payments, signups } from '../db/schema.ts';
import { settleItems } from '../records/bulk-action-items.ts';
import { enqueueCommand } from '../records/commands.ts';
import { recordFailureEvent } from '../records/failures.ts';
import { lockOrder } from '../records/orders.ts';
import { hasEndedBadly, reportKeptMoney } from '../records/refunds.ts';
import { defineAction, reasonInput } from './action.ts';
import { lockFailure, notOpen } from './failures.ts';
import { requestRefund } from './refunds.ts';

type Difference = typeof differences.$inferSelect;

/** Makes the two sides of a difference equal, where it is certain which is right. A later check closes the failure. */
export const fixFailure = defineAction({
  name: 'fix_failure',
  label: 'Make the two sides equal',
  about:
    'Starts the run that is missing, opens a failure again whose retry was lost, or refunds what an ended order has kept. Completed steps are not repeated. The next checks show whether it helped.',
  done: 'Fix requested.',
  refusals: ['failure_not_open', 'fix_not_certain'],
  input: reasonInput,
  async act(tx, target, instruction) {
    const wrong = await tx
      .select()
      .from(differences)
      .where(and(eq(differences.failureId, target), isNotNull(differences.fix)));
    // First: an order is locked before its failures.
    for (const difference of wrong) if (difference.fix) await FIXES[difference.fix](tx, difference, instruction);
    const failure = await lockFailure(tx, target);
    if (failure.kind !== 'discrepancy' || failure.status !== 'open') throw notOpen(failure);
    if (wrong.length === 0) throw notCertain();
    await tx.update(failures).set({ status: 'retrying' }).where(eq(failures.id, target));
    // If they still differ a grace period from now, the failure opens again.
    await tx
      .update(differences)
      .set({ firstSeenAt: sql`now()` })
      .where(eq(differences.failureId, target));
    await recordFailureEvent(tx, target, 'fix_requested', instruction);
  },
});

const notCertain = () =>
  new RequestError('fix_not_certain', 'It is not certain which side is right, or the two have changed. Look at both, and correct the wrong one.');

const FIXES: Record<BookFix, (tx: Transaction, difference: Difference, instruction: Instruction) => Promise<void>> = {
  /** Harmless if there is a run after all: a workflow id belongs to one run, and what is done is not repeated. */
  async start_run(tx, { orderId, signupId, generation }) {
    if (orderId !== null) {
      const order = await lockOrder(tx, orderId);
      const { status, amount, currency } = order;
      if (order.generation !== generation || status === 'compensating' || FINAL_ORDER_STATUSES.includes(status)) throw notCertain();
      return await enqueueCommand(tx, { type: 'start_order', orderId, generation, amount, currency });
    }
    const [signup] = await tx.select().from(signups).where(eq(signups.id, signupId ?? '')).for('update');
    if (!signup || FINAL_SIGNUP_STATUSES.includes(signup.status)) throw notCertain();
    await enqueueCommand(tx, { type: 'start_signup', signupId: signup.id });
  },

  async reopen_failure(tx, { subject }, instruction) {
    const failure = await lockFailure(tx, subject);
    if (failure.status !== 'retrying') throw notCertain();
    await tx.update(failures).set({ status: 'open' }).where(eq(failures.id, subject));
    await recordFailureEvent(tx, subject, 'reopened', instruction);
    await settleItems(tx, [subject], 'failed_again', 'The request was lost.');
  },

  /** What is refunded is a failure of its own until the money is back. */
  async refund_payment(tx, { subject, orderId, generation }, instruction) {
    if (orderId === null || generation === null) throw notCertain();
    await lockOrder(tx, orderId);
    if (!(await hasEndedBadly(tx, { orderId, generation }))) throw notCertain();
    const [payment] = await tx.select({ id: payments.id }).from(payments).where(eq(payments.providerPaymentId, subject));
    const failureId = payment && (await reportKeptMoney(tx, payment.id));
    if (failureId === undefined) throw notCertain();
    await requestRefund(tx, await lockFailure(tx, failureId), instruction);
  },
};
