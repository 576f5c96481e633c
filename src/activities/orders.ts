import { ApplicationFailure } from '@temporalio/common';
import { and, eq, inArray, sql } from 'drizzle-orm';
import { ORDER_ENDED, type ErrorDetails } from '../contracts/errors.ts';
import type { OrderRef } from '../contracts/ids.ts';
import type { CarrierUpdate, DecideApproval, SettleCompensation } from '../contracts/messages.ts';
import { FINAL_ORDER_STATUSES, LIVE_FAILURE_STATUSES, type OrderStatus, type OrderStep } from '../contracts/statuses.ts';
import type { Database, Transaction } from '../db/client.ts';
import { failures, orders, payments, sagaSteps, shipments } from '../db/schema.ts';
import { statement, transaction } from '../db/transaction.ts';
import { settleCancelItems } from '../records/bulk-action-items.ts';
import { refuseCancellation } from '../records/cancellations.ts';
import { closeFailures, isLiveFailure, recordFailureEvent, type FailureRef } from '../records/failures.ts';
import { isApproval, isOf } from '../records/order-rows.ts';
import { lockStep, markUndone, STEP_KEY } from '../records/saga-steps.ts';
import { setOrderStatus, statusChange } from '../records/order-status.ts';
import { retryPaidCharge } from '../records/reported-payments.ts';
import { reportEarlierShipments } from '../records/unexpected-shipment.ts';
import { recordRefundByHand } from '../records/refunds.ts';
import { lockOrder, type Order } from '../records/orders.ts';
import { recordIfAny } from './attempts.ts';
import { openOrderFailure } from './open-failure.ts';
import { readReason, whyEnded } from './reasons.ts';
import { exhaustStep } from './steps.ts';

export type OrderActivities = ReturnType<typeof createOrderActivities>;

/**
 * Locks an order for something that only a run of an order in progress may record.
 * @throws ApplicationFailure `order_ended`, which is not retried, if this generation has ended: nobody waits for a late
 * attempt, and a run that was reset by hand fails for a reason that the Web UI shows
 */
const lockInProgress = async (tx: Transaction, ref: OrderRef): Promise<Order> => inProgress(await lockOrder(tx, ref.orderId), ref);

function inProgress(order: Order, ref: OrderRef): Order {
  if (order.generation === ref.generation && !hasEnded(order)) return order;
  throw ApplicationFailure.nonRetryable('This generation of the order has ended.', ORDER_ENDED);
}

const hasEnded = ({ status }: Order): boolean => FINAL_ORDER_STATUSES.includes(status);

/** @returns the condition for an approval that is pending */
const isPending = (ref: OrderRef) => and(isApproval(ref), eq(sagaSteps.state, 'running'));

const approvalOf = (ref: OrderRef) => ({ ...ref, step: 'approval', kind: 'step' }) as const;

const LATE_SHIPMENT = { kind: 'late_shipment', step: 'ship' } as const;

/** What the workflow records about an order. Each is one transaction, and harmless if repeated. */
export function createOrderActivities({ db }: { db: Database }) {
  return {
    async requestApproval(ref: OrderRef): Promise<void> {
      await transaction(db, async (tx) => {
        const asked = tx
          .insert(sagaSteps)
          .values({ ...approvalOf(ref), state: 'running', attempts: 1 })
          .onConflictDoNothing()
          .returning({ attempts: sagaSteps.attempts });
        const { rowCount } = await tx.execute(recordIfAny(asked, approvalOf(ref), 'started'));
        // Otherwise this is repeated: somebody may have approved it meanwhile, and the order does not wait any more.
        if (rowCount === 1) await setOrderStatus(tx, ref, 'awaiting_approval');
      });
    },

    /**
     * @param answer the decision that the workflow has received, or its own at the deadline
     * @returns the decision that counts: a person's, if it was made in time, even if the workflow has not received it yet
     */
    async recordApproval(ref: OrderRef, answer: DecideApproval): Promise<Pick<DecideApproval, 'decision'>> {
      return await transaction(db, async (tx) => {
        // If the worker dies in the workflow task in which a rejection ends the order, the run asks again.
        const locked = await lockOrder(tx, ref.orderId);
        const isRejected = locked.generation === ref.generation && locked.approvalDecision === 'reject';
        if (isRejected && hasEnded(locked)) return { decision: 'reject' };
        const order = inProgress(locked, ref);
        const decision = order.approvalDecision ?? answer.decision;
        const approved = decision === 'approve';
        // A person's decision is already here, with its reason. (Earlier versions stored only the decision itself.)
        const unexplained = { decision, actor: answer.actor };
        const result = order.approvalDecision ? unexplained : { ...unexplained, reason: 'Not answered in time.' };
        const decided = tx
          .update(sagaSteps)
          .set({
            state: approved ? 'done' : 'refused',
            result: sql`coalesce(${sagaSteps.result}, ${JSON.stringify(result)}::jsonb)`,
            finishedAt: sql`now()`,
          })
          .where(isPending(ref))
          .returning({ attempts: sagaSteps.attempts });
        await tx.execute(recordIfAny(decided, approvalOf(ref), approved ? 'done' : 'refused'));
        // Set here, too: if nobody decided in time, no decision has been stored.
        await tx.update(orders).set({ approvalDecision: decision }).where(eq(orders.id, ref.orderId));
        if (approved && order.status === 'awaiting_approval') await setOrderStatus(tx, ref, 'reserved');
        return { decision };
      });
    },

    /**
     * Parks an order: the step has used up its retries.
     * @returns the failure, or undefined if the step is done after all, and so there is nothing to wait for
     */
    async parkOrder(ref: OrderRef, step: OrderStep, error: ErrorDetails): Promise<FailureRef | undefined> {
      return await transaction(db, async (tx) => {
        const exhausted = await exhaustStep(tx, ref, step, error);
        if (!exhausted) return undefined;
        const { status } = await lockInProgress(tx, ref);
        const failure = await openOrderFailure(tx, ref, {
          kind: 'step',
          step,
          ...error,
          attempts: exhausted.attempts,
          // If this activity is repeated, the order is parked already. The failure then keeps its status to resume.
          resumeStatus: status === 'needs_attention' ? null : status,
        });
        await setOrderStatus(tx, ref, 'needs_attention', { why: error.errorMessage });
        // Once: if the charge parks again although the provider says that it is paid, a person has to look.
        if (step === 'charge' && failure.occurrence === 1) await retryPaidCharge(tx, ref);
        return failure;
      });
    },

    /**
     * Gives a parked order its earlier status back, while its step is retried. Leaves an order alone that a late attempt of
     * the step has moved on, or that has parked again.
     * @returns the status of the order
     */
    async resumeOrder(ref: OrderRef, { failureId, occurrence }: FailureRef): Promise<OrderStatus> {
      return await transaction(db, async (tx) => {
        const { status } = await lockOrder(tx, ref.orderId);
        const [failure] = await tx.select().from(failures).where(eq(failures.id, failureId));
        if (status !== 'needs_attention' || failure?.occurrence !== occurrence) return status;
        const resumed = failure.resumeStatus ?? 'accepted';
        // Nobody asked: the warehouse turned out to have the order. Marked as retrying, so that another parking has its own answer.
        if (failure.status === 'open') {
          await tx.update(failures).set({ status: 'retrying' }).where(eq(failures.id, failureId));
          await recordFailureEvent(tx, failureId, 'retry_requested', { actor: 'holdfast', reason: 'The warehouse has the order.' });
        }
        await setOrderStatus(tx, ref, resumed);
        return resumed;
      });
    },

    async recordShipped(ref: OrderRef, { carrier, trackingNumber }: CarrierUpdate): Promise<void> {
      const shipped = db
        .update(shipments)
        .set({ state: 'shipped', carrier, trackingNumber, shippedAt: sql`coalesce(${shipments.shippedAt}, now())` })
        .where(and(isOf(shipments, ref), eq(shipments.state, 'accepted')));
      const isLate = sql`exists (select from ${failures} where ${isLiveFailure(ref, LATE_SHIPMENT)}) as "isLate"`;
      const change = statusChange(db, ref, 'shipped');
      const { rows } = await statement(db, () =>
        db.execute<{ isLate: boolean }>(sql`with shipping as ${shipped}, ${change} select ${isLate}`),
      );
      if (!rows[0]?.isLate) return;
      await transaction(db, async (tx) => {
        await closeFailures(tx, ref, LATE_SHIPMENT, 'resolved', 'The order has been shipped.');
      });
    },

    /** Opens a failure. It sends no alert, because operations get a reminder by email. */
    async recordLateShipment(ref: OrderRef): Promise<void> {
      await transaction(db, async (tx) => {
        // A late attempt: the order has been shipped meanwhile.
        if ((await lockInProgress(tx, ref)).status === 'shipped') return;
        await openOrderFailure(tx, ref, {
          ...LATE_SHIPMENT,
          errorType: 'late_shipment',
          errorMessage: 'The warehouse accepted the order but has not handed it to a carrier.',
          attempts: 1,
        });
      });
    },

    /** @returns whether anybody had requested it, and has to hear of it. Earlier versions returned nothing, as their histories show */
    async recordCancellationRefused(ref: OrderRef): Promise<{ refused: boolean } | undefined> {
      return { refused: await refuseCancellation(db, ref) };
    },

    async completeOrder(ref: OrderRef, { delivered }: { delivered: boolean }): Promise<void> {
      const arrived = db
        .update(shipments)
        .set({ state: 'delivered', deliveredAt: sql`coalesce(${shipments.deliveredAt}, now())` })
        .where(isOf(shipments, ref));
      await statement(db, () => setOrderStatus(db, ref, 'completed', {}, delivered ? arrived : undefined));
    },

    /**
     * Records that a person did by hand what a failing compensation was to do. A charge counts as refunded.
     * @returns `too_late` if its failure has been closed otherwise: then nothing is recorded
     */
    async recordSettlement(
      ref: OrderRef,
      { failureId, step, actor }: SettleCompensation,
    ): Promise<'too_late' | undefined> {
      return await transaction(db, async (tx) => {
        const reason = (await readReason(tx, 'settlement_requested', eq(failures.id, failureId))) ?? 'Done by hand.';
        const done = { state: 'done', result: { settled: true, actor, reason } } as const;
        const row = { ...ref, step, kind: 'step' } as const;
        await lockStep(tx, row);
        const [settled] = await tx
          .update(failures)
          .set({ status: 'settled', closedAt: sql`now()`, nextRetryAt: null })
          .where(and(eq(failures.id, failureId), inArray(failures.status, LIVE_FAILURE_STATUSES)))
          .returning({ id: failures.id });
        if (!settled) {
          const [closed] = await tx.select({ status: failures.status }).from(failures).where(eq(failures.id, failureId));
          return closed?.status === 'settled' ? undefined : 'too_late';
        }
        await recordFailureEvent(tx, failureId, 'settled', { actor, reason });
        const compensation = { ...ref, step, kind: 'compensation' } as const;
        const recorded = tx
          .insert(sagaSteps)
          .values({ ...compensation, ...done })
          .onConflictDoUpdate({
            target: STEP_KEY,
            set: { ...done, finishedAt: sql`now()` },
          })
          .returning({ attempts: sagaSteps.attempts });
        await tx.execute(recordIfAny(recorded, compensation, 'settled'));
        await markUndone(tx, row);
        if (step !== 'charge') return undefined;
        const [payment] = await tx.select({ id: payments.id }).from(payments).where(isOf(payments, ref));
        if (payment) await recordRefundByHand(tx, payment.id, failureId);
        return undefined;
      });
    },

    /**
     * @returns the steps to undo, whether the run has come to them or not: those that have a row, and the invoice of an order
     * in the warehouse, which a frozen worker may be about to issue. Earlier versions returned nothing, as their histories show
     */
    async beginCompensation(ref: OrderRef): Promise<OrderStep[] | undefined> {
      return await transaction(db, async (tx) => {
        await setOrderStatus(tx, ref, 'compensating');
        // A parked step that stayed open would take a retry, and the run would never act on it.
        await closeFailures(tx, ref, 'steps', 'cancelled', 'The order is being undone.');
        // Their failures may be closed: a late attempt of the step has succeeded.
        await settleCancelItems(tx, ref.orderId, 'cancelled');
        const attempted = await tx
          .select({ step: sagaSteps.step, state: sagaSteps.state })
          .from(sagaSteps)
          .where(and(isOf(sagaSteps, ref), eq(sagaSteps.kind, 'step')));
        const isInWarehouse = attempted.some(({ step, state }) => step === 'ship' && state === 'done');
        return [...attempted.map(({ step }) => step), ...(isInWarehouse ? (['invoice'] as const) : [])];
      });
    },

    /** @param end `message` is kept unless a person or the warehouse gave a reason */
    async endOrder(
      ref: OrderRef,
      end: { status: 'cancelled' | 'failed'; type: string; message: string },
    ): Promise<void> {
      await transaction(db, async (tx) => {
        if (end.type === 'shipment_rejected') {
          await tx.update(shipments).set({ state: 'rejected' }).where(isOf(shipments, ref));
        }
        // A pending approval is no longer needed.
        const dropped = tx
          .update(sagaSteps)
          .set({ state: 'refused', finishedAt: sql`now()` })
          .where(isPending(ref))
          .returning({ attempts: sagaSteps.attempts });
        await tx.execute(recordIfAny(dropped, approvalOf(ref), 'cancelled'));
        const failureMessage = (await whyEnded(tx, ref, end.type)) ?? end.message;
        await setOrderStatus(tx, ref, end.status, { failureType: end.type, failureMessage });
        await closeFailures(tx, ref, 'all', 'cancelled', failureMessage);
        await reportEarlierShipments(tx, ref);
      });
    },
  };
}
