import { and, eq, inArray, sql } from 'drizzle-orm';
import { v7 as uuid } from 'uuid';
import { SIGNALS } from '../contracts/names.ts';
import { ORDER_STEPS, type OrderStep } from '../contracts/statuses.ts';
import type { Database, Transaction } from '../db/client.ts';
import { recordOrderEvent } from '../db/order-status.ts';
import { commands, failures, orders, payments } from '../db/schema.ts';
import { recordOperatorAction } from './audit.ts';
import { enqueueCommand } from './commands.ts';
import { IntakeError, notFound } from './errors.ts';
import { recordFailureEvent } from './failures.ts';
import type { NewOrder } from './orders.ts';

/** Who asks (e.g. `key:<id>`) and why. Both are kept. */
export interface Instruction {
  actor: string;
  reason: string;
}

/** Something that opens a transaction: the database, or a transaction within which this is to be a part. */
type Opens = Pick<Database, 'transaction'>;

type Failure = typeof failures.$inferSelect;

/**
 * Has a parked order try its failed step again, with fresh retries.
 * @param options `shippingAddress` to use from now on; `replayId` of the bulk replay that asks
 * @returns the occurrence of the failure that is retried
 * @throws IntakeError `not_found`, `failure_not_open` when no order is parked on it, or `already_requested`
 */
export async function requestRetry(
  db: Opens,
  failureId: string,
  { actor, reason }: Instruction,
  options: { shippingAddress?: NewOrder['shippingAddress']; replayId?: string } = {},
): Promise<{ occurrence: number }> {
  return await db.transaction(async (tx) => {
    const failure = await lockParked(tx, failureId);
    const { orderId, occurrence } = failure;
    if (options.shippingAddress) {
      await tx.update(orders).set(options.shippingAddress).where(eq(orders.id, orderId));
    }
    await tx
      .update(failures)
      .set({ status: 'retrying', replayId: options.replayId ?? null })
      .where(eq(failures.id, failureId));
    const note = options.shippingAddress ? `${reason} (with a corrected address)` : reason;
    await recordFailureEvent(tx, failureId, 'retry_requested', actor, note);
    const message = { failureId, occurrence, action: 'retry', reason, actor } as const;
    await enqueueCommand(tx, { type: SIGNALS.resolveFailure, orderId, message });
    return { occurrence };
  });
}

/**
 * Has a parked order give up and undo what it did.
 * @throws IntakeError `not_found`, `failure_not_open` when no order is parked on it, or `already_requested`
 */
export async function requestCancel(
  db: Opens,
  failureId: string,
  { actor, reason }: Instruction,
  options: { replayId?: string } = {},
): Promise<{ occurrence: number }> {
  return await db.transaction(async (tx) => {
    const { orderId, occurrence } = await lockParked(tx, failureId);
    if (options.replayId) {
      await tx.update(failures).set({ replayId: options.replayId }).where(eq(failures.id, failureId));
    }
    await recordFailureEvent(tx, failureId, 'cancel_requested', actor, reason);
    const message = { failureId, occurrence, action: 'cancel', reason, actor } as const;
    await enqueueCommand(tx, { type: SIGNALS.resolveFailure, orderId, message });
    return { occurrence };
  });
}

/**
 * Records that a failing compensation was done by hand, outside: the order goes on without it. Any other failure that
 * stops nothing (an email, a set-aside command) is settled by the record alone.
 * @throws IntakeError `not_found`, `failure_not_open`, or `already_requested`
 */
export async function requestSettlement(db: Opens, failureId: string, { actor, reason }: Instruction): Promise<void> {
  await db.transaction(async (tx) => {
    const failure = await lockFailure(tx, failureId);
    const { kind, orderId, step } = failure;
    if (failure.status !== 'open' || kind === 'step' || kind === 'run') throw notOpen(failure);
    if (kind !== 'compensation') {
      await recordFailureEvent(tx, failureId, 'settled', actor, reason);
      await tx
        .update(failures)
        .set({ status: 'settled', closedAt: sql`now()`, nextRetryAt: null })
        .where(eq(failures.id, failureId));
      return;
    }
    if (!orderId || !isOrderStep(step)) throw notOpen(failure);
    await refuseRepeat(tx, failure, { type: SIGNALS.settleCompensation, message: { failureId } });
    await recordFailureEvent(tx, failureId, 'settlement_requested', actor, reason);
    const message = { failureId, step, reason, actor };
    await enqueueCommand(tx, { type: SIGNALS.settleCompensation, orderId, message });
  });
}

/**
 * Starts an order that ended as failed anew, as its next generation: with its own keys, as if it had just been placed.
 * @returns the new generation
 * @throws IntakeError `not_found`, `order_not_failed`, or `money_unsettled` while money of an earlier generation is not given back
 */
export async function requestReplay(
  db: Opens,
  orderId: string,
  { actor, reason }: Instruction,
): Promise<{ generation: number }> {
  return await db.transaction(async (tx) => {
    const [order] = await tx.select().from(orders).where(eq(orders.id, orderId)).for('update');
    if (!order) throw notFound('order');
    if (order.status !== 'failed') {
      throw new IntakeError('order_not_failed', `The order is ${order.status}: only one that has failed can be replayed.`);
    }
    if ((await unsettledMoney(tx, orderId)) > 0) {
      throw new IntakeError('money_unsettled', 'Money of an earlier attempt has not been given back yet.');
    }
    const generation = order.generation + 1;
    await tx
      .update(orders)
      .set({
        generation,
        status: 'accepted',
        approvalDecision: null,
        cancellationReason: null,
        failureType: null,
        failureMessage: null,
        updatedAt: sql`now()`,
      })
      .where(eq(orders.id, orderId));
    await recordOrderEvent(tx, { orderId, generation }, 'accepted');
    const touched = await tx.select({ id: failures.id }).from(failures).where(eq(failures.orderId, orderId));
    for (const { id } of touched) await recordFailureEvent(tx, id, 'replay_requested', actor, reason);
    await recordOperatorAction(tx, { actor, reason }, 'replay_order', orderId);
    const { amount, currency } = order;
    await enqueueCommand(tx, { type: 'start_order', orderId, generation, amount, currency });
    return { generation };
  });
}

/**
 * Has the run of a failure go back to before it went wrong, and on from there with the code at hand.
 * @param eventId the event to undo; by default the first failure of a workflow task, else the end of the run
 * @throws IntakeError `not_found`, or `failure_not_open` when it is not about a run of an order
 */
export async function requestReset(
  db: Opens,
  failureId: string,
  { actor, reason }: Instruction,
  eventId?: number,
): Promise<void> {
  await db.transaction(async (tx) => {
    const failure = await lockFailure(tx, failureId);
    if (failure.kind !== 'run' || failure.status !== 'open' || !failure.orderId) throw notOpen(failure);
    await tx.update(failures).set({ status: 'retrying' }).where(eq(failures.id, failureId));
    await recordFailureEvent(tx, failureId, 'reset_requested', actor, reason);
    const { orderId } = failure;
    await enqueueCommand(tx, { type: 'reset_run', orderId, eventId, reason, requestId: uuid() });
  });
}

/** @returns minor units that were captured for an order, in any generation, and not given back */
export async function unsettledMoney(tx: Pick<Transaction, 'select'>, orderId: string): Promise<number> {
  const [row] = await tx
    .select({ amount: sql<number>`coalesce(sum(${payments.captured} - ${payments.refunded}), 0)::int` })
    .from(payments)
    .where(and(eq(payments.orderId, orderId)));
  return row?.amount ?? 0;
}

/** The row lock makes of two operators at once one who acts and one who is told that it is done. */
async function lockFailure(tx: Transaction, failureId: string): Promise<Failure> {
  const [failure] = await tx.select().from(failures).where(eq(failures.id, failureId)).for('update');
  if (!failure) throw notFound('failure');
  return failure;
}

async function lockParked(tx: Transaction, failureId: string): Promise<Failure & { orderId: string }> {
  const failure = await lockFailure(tx, failureId);
  const { kind, status, orderId } = failure;
  if (kind !== 'step' || status !== 'open' || !orderId) throw notOpen(failure);
  const { occurrence } = failure;
  await refuseRepeat(tx, failure, { type: SIGNALS.resolveFailure, message: { failureId, occurrence } });
  return { ...failure, orderId };
}

/** A parking has one answer, and the workflow may not have acted on it yet. One that could not be delivered is no answer. */
async function refuseRepeat(tx: Transaction, { workflowId }: Failure, part: object): Promise<void> {
  const [earlier] = await tx
    .select({ id: commands.id })
    .from(commands)
    .where(
      and(
        eq(commands.workflowId, workflowId),
        inArray(commands.state, ['pending', 'delivered']),
        sql`${commands.body} @> ${JSON.stringify(part)}::jsonb`,
      ),
    )
    .limit(1);
  if (earlier) throw new IntakeError('already_requested', 'What to do about this failure has been decided already.');
}

const notOpen = ({ kind, status }: Failure) =>
  new IntakeError('failure_not_open', `A ${kind} failure that is ${status} cannot do this.`);

const isOrderStep = (step: string): step is OrderStep => ORDER_STEPS.some((known) => known === step);
