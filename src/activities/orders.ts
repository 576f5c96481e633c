import { activityInfo } from '@temporalio/activity';
import { and, eq, ne, sql } from 'drizzle-orm';
import { orderWorkflowId, type OrderRef } from '../contracts/ids.ts';
import type { CarrierUpdate, DecideApproval, SettleCompensation } from '../contracts/messages.ts';
import type { OrderStatus, OrderStep } from '../contracts/statuses.ts';
import type { Database } from '../db/client.ts';
import { setOrderStatus } from '../db/order-status.ts';
import { failures, orders, payments, refunds, sagaSteps, shipments } from '../db/schema.ts';
import { closeFailures, openFailure, recordFailureEvent, type FailureRef } from '../intake/failures.ts';

export type OrderActivities = ReturnType<typeof createOrderActivities>;

interface ErrorDetails {
  errorType: string;
  errorMessage: string;
}

const isOrder = ({ orderId, generation }: OrderRef) =>
  and(eq(orders.id, orderId), eq(orders.generation, generation));
const isShipment = ({ orderId, generation }: OrderRef) =>
  and(eq(shipments.orderId, orderId), eq(shipments.generation, generation));
const isApproval = ({ orderId, generation }: OrderRef) =>
  and(
    eq(sagaSteps.orderId, orderId),
    eq(sagaSteps.generation, generation),
    eq(sagaSteps.step, 'approval'),
    eq(sagaSteps.kind, 'step'),
  );

/** What the workflow tells Postgres of an order. Each is one transaction, and harmless when repeated. */
export function createOrderActivities({ db }: { db: Database }) {
  return {
    async requestApproval(ref: OrderRef): Promise<void> {
      await db.transaction(async (tx) => {
        await tx
          .insert(sagaSteps)
          .values({ ...ref, step: 'approval', kind: 'step', state: 'running', attempts: 1 })
          .onConflictDoNothing();
        await setOrderStatus(tx, ref, 'awaiting_approval');
      });
    },

    /**
     * @param answer what the workflow has heard, or decides itself when it has heard nothing in time
     * @returns the decision that counts: one that a person gave in time, even if the workflow has not heard of it yet
     */
    async recordApproval(ref: OrderRef, answer: DecideApproval): Promise<Pick<DecideApproval, 'decision'>> {
      return await db.transaction(async (tx) => {
        const [order] = await tx.select().from(orders).where(eq(orders.id, ref.orderId)).for('update');
        const decision = order?.approvalDecision ?? answer.decision;
        const approved = decision === 'approve';
        const { actor } = answer;
        const reason = decision === answer.decision ? answer.reason : 'It was given in time and heard of late.';
        await tx
          .update(sagaSteps)
          .set({ state: approved ? 'done' : 'refused', result: { decision, reason, actor }, finishedAt: sql`now()` })
          .where(isApproval(ref));
        // Set here too: when nobody answered in time, the API has not written a decision.
        await tx.update(orders).set({ approvalDecision: decision }).where(eq(orders.id, ref.orderId));
        if (approved) await setOrderStatus(tx, ref, 'reserved');
        return { decision };
      });
    },

    /** Parks an order whose step has used up its retries. */
    async parkOrder(ref: OrderRef, step: OrderStep, error: ErrorDetails): Promise<FailureRef> {
      return await db.transaction(async (tx) => {
        const [order] = await tx.select({ status: orders.status }).from(orders).where(eq(orders.id, ref.orderId));
        const [exhausted] = await tx
          .update(sagaSteps)
          .set({ state: 'exhausted', ...error })
          .where(
            and(
              eq(sagaSteps.orderId, ref.orderId),
              eq(sagaSteps.generation, ref.generation),
              eq(sagaSteps.step, step),
              eq(sagaSteps.kind, 'step'),
            ),
          )
          .returning({ attempts: sagaSteps.attempts });
        const failure = await openFailure(tx, {
          kind: 'step',
          workflowId: orderWorkflowId(ref.orderId),
          runId: activityInfo().workflowExecution?.runId ?? null,
          ...ref,
          step,
          ...error,
          attempts: exhausted?.attempts ?? 0,
          // A repeated attempt of this note finds the order parked already; the failure keeps what it knew before.
          resumeStatus: order?.status === 'needs_attention' ? null : (order?.status ?? null),
        });
        await setOrderStatus(tx, ref, 'needs_attention');
        return failure;
      });
    },

    /** @returns the status that the order has again, now that its step is tried again */
    async resumeOrder(ref: OrderRef, failureId: string): Promise<OrderStatus> {
      return await db.transaction(async (tx) => {
        const [failure] = await tx.select().from(failures).where(eq(failures.id, failureId));
        const status = failure?.resumeStatus ?? 'accepted';
        await setOrderStatus(tx, ref, status);
        return status;
      });
    },

    async recordShipped(ref: OrderRef, { carrier, trackingNumber }: CarrierUpdate): Promise<void> {
      await db.transaction(async (tx) => {
        await tx
          .update(shipments)
          .set({ state: 'shipped', carrier, trackingNumber, shippedAt: sql`coalesce(${shipments.shippedAt}, now())` })
          .where(isShipment(ref));
        await closeFailures(tx, ref, { kind: 'late_shipment', step: 'ship' }, 'resolved', 'It has been shipped.');
        // A cancellation that was taken before this, and not acted on, has come too late.
        await tx.update(orders).set({ cancellationReason: null }).where(isOrder(ref));
        await setOrderStatus(tx, ref, 'shipped');
      });
    },

    /** Operations get a reminder by email; this puts the order on the list of what needs a person. */
    async recordLateShipment(ref: OrderRef): Promise<void> {
      await db.transaction(async (tx) => {
        await openFailure(
          tx,
          {
            kind: 'late_shipment',
            workflowId: orderWorkflowId(ref.orderId),
            runId: activityInfo().workflowExecution?.runId ?? null,
            ...ref,
            step: 'ship',
            errorType: 'late_shipment',
            errorMessage: 'The warehouse has accepted the order but not handed it to a carrier.',
            attempts: 1,
          },
          { alert: false },
        );
      });
    },

    async recordCancellationRefused(ref: OrderRef): Promise<void> {
      await db
        .update(orders)
        .set({ cancellationReason: null })
        .where(isOrder(ref));
    },

    async completeOrder(ref: OrderRef, { delivered }: { delivered: boolean }): Promise<void> {
      await db.transaction(async (tx) => {
        if (delivered) {
          await tx
            .update(shipments)
            .set({ state: 'delivered', deliveredAt: sql`coalesce(${shipments.deliveredAt}, now())` })
            .where(isShipment(ref));
        }
        await setOrderStatus(tx, ref, 'completed');
      });
    },

    /** A compensation that could not get through was done by hand. Money that was given back outside counts as given back. */
    async recordSettlement(ref: OrderRef, { failureId, step, reason, actor }: SettleCompensation): Promise<void> {
      const { orderId, generation } = ref;
      await db.transaction(async (tx) => {
        const isStep = and(
          eq(sagaSteps.orderId, orderId),
          eq(sagaSteps.generation, generation),
          eq(sagaSteps.step, step),
        );
        const [settled] = await tx
          .update(failures)
          .set({ status: 'settled', closedAt: sql`now()`, nextRetryAt: null })
          .where(and(eq(failures.id, failureId), ne(failures.status, 'settled')))
          .returning({ id: failures.id });
        if (!settled) return;
        await recordFailureEvent(tx, failureId, 'settled', actor, reason);
        await tx
          .insert(sagaSteps)
          .values({ ...ref, step, kind: 'compensation', state: 'done', result: { settled: true, actor, reason } })
          .onConflictDoUpdate({
            target: [sagaSteps.orderId, sagaSteps.generation, sagaSteps.step, sagaSteps.kind],
            set: { state: 'done', result: { settled: true, actor, reason }, finishedAt: sql`now()` },
          });
        await tx
          .update(sagaSteps)
          .set({ state: 'undone' })
          .where(and(isStep, eq(sagaSteps.kind, 'step'), eq(sagaSteps.state, 'done')));
        if (step !== 'charge') return;
        const [payment] = await tx
          .select()
          .from(payments)
          .where(and(eq(payments.orderId, orderId), eq(payments.generation, generation)))
          .for('update');
        if (!payment || payment.captured === payment.refunded) return;
        const amount = payment.captured - payment.refunded;
        await tx.insert(refunds).values({ providerRefundId: `by-hand:${failureId}`, paymentId: payment.id, amount });
        await tx
          .update(payments)
          .set({ state: 'refunded', refunded: payment.captured })
          .where(eq(payments.id, payment.id));
      });
    },

    async beginCompensation(ref: OrderRef): Promise<void> {
      await db.transaction((tx) => setOrderStatus(tx, ref, 'compensating'));
    },

    async endOrder(
      ref: OrderRef,
      end: { status: 'cancelled' | 'failed'; type: string; message: string },
    ): Promise<void> {
      await db.transaction(async (tx) => {
        if (end.type === 'shipment_rejected') {
          await tx.update(shipments).set({ state: 'rejected' }).where(isShipment(ref));
        }
        // Whoever was to approve it need not any more.
        await tx
          .update(sagaSteps)
          .set({ state: 'refused', finishedAt: sql`now()` })
          .where(and(isApproval(ref), eq(sagaSteps.state, 'running')));
        await closeFailures(tx, ref, 'all', 'cancelled', end.message);
        await setOrderStatus(tx, ref, end.status, { failureType: end.type, failureMessage: end.message });
      });
    },
  };
}
