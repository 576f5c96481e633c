import { and, eq } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { orderWorkflowId, type OrderRef } from '../../src/contracts/ids.ts';
import { attemptEvents, commands, disputes, failures, orders, payments, sagaSteps } from '../../src/db/schema.ts';
import { recordPaymentWebhook } from '../../src/intake/payment-webhooks.ts';
import { retryFailure, settleFailure } from '../../src/operate/failures.ts';
import { countAttempts } from '../../src/queries/attempts.ts';
import { readOrderStory } from '../../src/queries/order-story.ts';
import { isOf } from '../../src/records/order-rows.ts';
import { expectSound } from '../support/audit.ts';
import { waitingForRows } from '../support/lock-waits.ts';
import { createPauses } from '../support/pauses.ts';
import { runActivity, runAttempt, useShop } from '../support/shop.ts';
import { stripeEvent } from '../support/stripe-events.ts';

const shop = await useShop();
const { db } = shop;
const activities = shop.activities();
const CONFIRM = 'POST /v1/payment_intents/:id/confirm';

const receive = (type: string, object: object, created?: number) =>
  recordPaymentWebhook(db, stripeEvent(type, object, created === undefined ? {} : { created }));

async function charged(method = 'pm_card_visa'): Promise<OrderRef> {
  const ref = await shop.placeOrder({ payment: { method } });
  await runActivity(activities.chargePayment, ref);
  return ref;
}

/** @returns the next generation of an order, charged again */
async function chargedAgain({ orderId, generation }: OrderRef): Promise<OrderRef> {
  const next = { orderId, generation: generation + 1 };
  await db.update(orders).set({ generation: next.generation, status: 'accepted' }).where(eq(orders.id, orderId));
  await runActivity(activities.chargePayment, next);
  return next;
}

/** @returns a cancelled order, whose payment has been refunded */
async function refunded(charging = charged()): Promise<OrderRef> {
  const ref = await charging;
  await runActivity(activities.refundPayment, ref);
  await runActivity(activities.endOrder, ref, { status: 'cancelled', type: 'order_cancelled', message: 'changed my mind' });
  return ref;
}

async function paymentOf(ref: OrderRef) {
  const [payment] = await db.select().from(payments).where(isOf(payments, ref));
  if (!payment?.providerPaymentId) throw new Error('no payment');
  return { ...payment, providerPaymentId: payment.providerPaymentId };
}

/** The latest refund of an order ends at the bank. @returns what the provider could report */
async function settleLatest(ref: OrderRef, status: 'succeeded' | 'failed') {
  const { providerPaymentId } = await paymentOf(ref);
  const [latest] = await shop.gateways.payments.listRefunds(providerPaymentId);
  return shop.payments.bank.settleRefund(latest?.id ?? '', status);
}

/** The latest refund of an order fails at the bank, and the provider says so. */
const failRefund = async (ref: OrderRef) => receive('refund.failed', await settleLatest(ref, 'failed'));

const failuresOf = (ref: OrderRef) => db.select().from(failures).where(isOf(failures, ref)).orderBy(failures.id);

async function openFailureOf(ref: OrderRef) {
  const [open] = (await failuresOf(ref)).filter(({ status }) => status === 'open');
  if (!open) throw new Error('no open failure');
  return open;
}

const commandsOf = async ({ orderId }: OrderRef, type: string) => {
  const rows = await db.select().from(commands).where(eq(commands.workflowId, orderWorkflowId(orderId)));
  return rows.map(({ body }) => body).filter((body) => typeof body === 'object' && body && 'type' in body && body.type === type);
};

/** What the workflow of the command does. @param number of the attempt */
async function refundAgain(ref: OrderRef, number = 1): Promise<unknown> {
  const [failure] = (await failuresOf(ref)).filter(({ status }) => status === 'retrying' || status === 'open');
  const input = { failureId: failure?.id ?? '', occurrence: failure?.occurrence ?? 0 };
  const [attempt] = await Promise.allSettled([runAttempt(number, activities.refundAgain, input)]);
  return attempt.status === 'rejected' && attempt.reason instanceof Error && 'type' in attempt.reason ? attempt.reason.type : attempt.status;
}

/** @returns what is recorded of the refunds that were asked for again */
const callOf = async ({ orderId }: OrderRef) => (await readOrderStory(db, orderId))?.calls.find(({ kind }) => kind === 'refund');

const attemptsOf = async (ref: OrderRef) => (await callOf(ref))?.events.map(({ attempt, type }) => `${attempt} ${type}`);

const retry = async (ref: OrderRef) =>
  retryFailure.perform({ db }, (await openFailureOf(ref)).id, { reason: 'the account is open again' }, 'key:operator');

/** A refund that has failed is asked for again: the provider takes it, and does not complete it yet. */
async function pendingAgain(): Promise<OrderRef> {
  const ref = await charged('pm_card_pendingRefund');
  await Promise.allSettled([runActivity(activities.refundPayment, ref)]);
  await settleLatest(ref, 'succeeded');
  await runActivity(activities.refundPayment, ref);
  await failRefund(ref);
  await retry(ref);
  expect(await refundAgain(ref)).toBe('refund_pending');
  return ref;
}

const statusOf = async (id: string) => {
  const [found] = await db.select().from(disputes).where(eq(disputes.providerDisputeId, id));
  return found?.status;
};

/** The provider captures it, and its answer is lost. @returns the event */
async function lost(ref: OrderRef) {
  shop.payments.faults.set({ mode: 'drop_after_commit', operation: CONFIRM });
  await Promise.allSettled([runActivity(activities.chargePayment, ref)]);
  shop.payments.faults.clear();
  const { providerPaymentId } = await paymentOf(ref);
  return stripeEvent('payment_intent.succeeded', { id: providerPaymentId, amount_received: 1780 });
}

const park = (ref: OrderRef) =>
  runActivity(activities.parkOrder, ref, 'charge', { errorType: 'payment_unavailable', errorMessage: 'no answer' });

const resolutions = (ref: OrderRef) => commandsOf(ref, 'resolve_failure');

describe('a refund that fails after it had counted', () => {
  it('no longer counts, and is a failure', async () => {
    const ref = await refunded();
    await failRefund(ref);
    expect(await paymentOf(ref)).toMatchObject({ state: 'captured', captured: 1780, refunded: 0 });
    expect(await failuresOf(ref)).toMatchObject([
      { kind: 'refund', step: 'charge', status: 'open', errorType: 'refund_failed', errorMessage: expect.stringContaining('€17.80') },
    ]);
  });

  it('is asked for again, and then counts again', async () => {
    const ref = await refunded();
    await failRefund(ref);
    await retry(ref);
    const { id: failureId } = (await failuresOf(ref))[0] ?? {};
    expect(await commandsOf(ref, 'refund_again')).toEqual([{ type: 'refund_again', orderId: ref.orderId, failureId, occurrence: 1 }]);
    expect(await refundAgain(ref)).toBe('fulfilled');
    expect(await paymentOf(ref)).toMatchObject({ state: 'refunded', refunded: 1780 });
    expect(await failuresOf(ref)).toMatchObject([{ status: 'resolved' }]);
    await expectSound(shop, ref.orderId);
  });

  it('is refunded although its failure is open again: the command was set aside, and delivered later', async () => {
    const ref = await refunded();
    await failRefund(ref);
    await retry(ref);
    const { id: failureId } = (await failuresOf(ref))[0] ?? {};
    await db.update(failures).set({ status: 'open' }).where(eq(failures.id, failureId ?? ''));
    expect(await refundAgain(ref)).toBe('fulfilled');
    expect(await paymentOf(ref)).toMatchObject({ state: 'refunded', refunded: 1780 });
    expect(await failuresOf(ref)).toMatchObject([{ status: 'resolved' }]);
  });

  it('is refunded once, however often that is attempted', async () => {
    const ref = await refunded();
    await failRefund(ref);
    await retry(ref);
    shop.payments.faults.set({ mode: 'error_after_commit', operation: 'POST /v1/refunds', count: 1 });
    expect(await refundAgain(ref)).toBe('payment_unavailable');
    expect(await refundAgain(ref)).toBe('fulfilled');
    expect(await failuresOf(ref)).toMatchObject([{ status: 'resolved' }]);
    expect(await attemptsOf(ref)).toEqual(['1 started', '1 failed', '2 started', '2 done']);
    await expectSound(shop, ref.orderId);
  });

  it('may fail again, and is then open again', async () => {
    const ref = await refunded();
    await failRefund(ref);
    await retry(ref);
    await refundAgain(ref);
    await failRefund(ref);
    expect(await failuresOf(ref)).toMatchObject([{ status: 'resolved' }, { status: 'open' }]);
    await retry(ref);
    await refundAgain(ref);
    await expectSound(shop, ref.orderId);
  });

  it('may be pending, and fail before it has counted', async () => {
    const ref = await pendingAgain();
    expect((await failuresOf(ref)).at(-1)).toMatchObject({ kind: 'refund', status: 'retrying' });
    expect(await callOf(ref)).toMatchObject({ isUnderWay: true });
    await failRefund(ref);
    expect((await failuresOf(ref)).at(-1)).toMatchObject({ kind: 'refund', status: 'open', occurrence: 2 });
    expect(await callOf(ref)).toMatchObject({ isUnderWay: false });
  });

  it('shows about how often it was asked for while that goes on for hours', async () => {
    const ref = await pendingAgain();
    for (const number of [100, 101, 199, 200, 201]) expect(await refundAgain(ref, number)).toBe('refund_pending');
    expect(await attemptsOf(ref)).toEqual(['1 started', '1 failed', '100 started', '100 failed', '200 started', '200 failed']);
    expect(countAttempts((await callOf(ref)) ?? { events: [] })).toBe(200);
  });

  it('has failed again if only the next look at it tells so: the report of the provider was lost', async () => {
    const ref = await pendingAgain();
    await settleLatest(ref, 'failed');
    expect(await refundAgain(ref)).toBe('fulfilled');
    expect((await failuresOf(ref)).at(-1)).toMatchObject({ kind: 'refund', status: 'open', occurrence: 2 });
    expect(await attemptsOf(ref)).toEqual(['1 started', '1 failed', '2 started', '2 failed']);
    expect((await callOf(ref))?.events.at(-1)).toMatchObject({ errorType: 'refund_failed', errorMessage: expect.stringContaining('€17.80') });
  });

  it('leaves no attempt open that its worker lost, once its failure is closed', async () => {
    const ref = await refunded();
    await failRefund(ref);
    // As a killed worker leaves it.
    await db.insert(attemptEvents).values({ ...ref, step: 'charge', kind: 'refund', attempt: 1, type: 'started', worker: '1@dead' });
    expect(await attemptsOf(ref)).toEqual(['1 started']);
    await settleFailure.perform({ db }, (await openFailureOf(ref)).id, { reason: 'by bank transfer' }, 'key:operator');
    expect(await attemptsOf(ref)).toEqual(['1 started', '1 lost']);
  });

  it('is open again if the provider refuses to repeat it', async () => {
    const ref = await refunded();
    await failRefund(ref);
    await retry(ref);
    const { providerPaymentId } = await paymentOf(ref);
    const [charge] = shop.payments.ledger().flatMap((entry) => (entry.type === 'charge.created' && entry.paymentIntent === providerPaymentId ? [entry.charge] : []));
    shop.payments.bank.dispute(charge ?? '');
    expect(await refundAgain(ref)).toBe('fulfilled');
    expect(await failuresOf(ref)).toMatchObject([{ status: 'open', occurrence: 2, errorMessage: expect.stringContaining('charge_disputed') }]);
    expect(await attemptsOf(ref)).toEqual(['1 started', '1 refused']);
  });

  it('may be settled by hand', async () => {
    const ref = await refunded();
    await failRefund(ref);
    await settleFailure.perform({ db }, (await openFailureOf(ref)).id, { reason: 'by bank transfer' }, 'key:operator');
    expect(await paymentOf(ref)).toMatchObject({ state: 'refunded', refunded: 1780 });
    expect(await failuresOf(ref)).toMatchObject([{ status: 'settled' }]);
  });

  it('counts once if the provider reports what a person has settled', async () => {
    const ref = await refunded();
    await failRefund(ref);
    await settleFailure.perform({ db }, (await openFailureOf(ref)).id, { reason: 'in the dashboard' }, 'key:operator');
    const { providerPaymentId } = await paymentOf(ref);
    await shop.gateways.payments.refund(`by hand: ${ref.orderId}`, providerPaymentId, 1780);
    const [latest] = await shop.gateways.payments.listRefunds(providerPaymentId);
    await receive('refund.created', { ...latest, payment_intent: providerPaymentId });
    expect(await paymentOf(ref)).toMatchObject({ state: 'refunded', refunded: 1780 });
    await expectSound(shop, ref.orderId);
  });

  it('stays a failure when one of an earlier generation is repaired, and is asked for again by itself', async () => {
    const first = await refunded();
    const second = await refunded(chargedAgain(first));
    await failRefund(first);
    await retry(first);
    await failRefund(second);
    expect(await refundAgain(first)).toBe('fulfilled');
    expect(await failuresOf(first)).toMatchObject([{ kind: 'refund', status: 'resolved', occurrence: 1 }]);
    expect(await failuresOf(second)).toMatchObject([{ kind: 'refund', status: 'open', occurrence: 1 }]);
    await retry(second);
    expect(await refundAgain(second)).toBe('fulfilled');
    for (const ref of [first, second]) expect(await paymentOf(ref)).toMatchObject({ state: 'refunded', refunded: 1780 });
    await expectSound(shop, first.orderId);
  });

  it('is for a person alone if the order keeps its payment', async () => {
    const ref = await charged();
    const { providerPaymentId } = await paymentOf(ref);
    const given = await shop.gateways.payments.refund(`goodwill: ${ref.orderId}`, providerPaymentId, 500);
    await receive('refund.created', { ...given, payment_intent: providerPaymentId });
    expect(await paymentOf(ref)).toMatchObject({ state: 'captured', refunded: 500 });
    await failRefund(ref);
    expect(await paymentOf(ref)).toMatchObject({ refunded: 0 });
    expect(await openFailureOf(ref)).toMatchObject({ kind: 'refund', errorMessage: expect.stringContaining('€5.00') });
    await expect(retry(ref)).rejects.toMatchObject({ type: 'refund_unknown' });
    await settleFailure.perform({ db }, (await openFailureOf(ref)).id, { reason: 'sent a voucher' }, 'key:operator');
    expect(await paymentOf(ref)).toMatchObject({ state: 'captured', refunded: 0 });
  });

  it('is seen to by the compensation while that is under way', async () => {
    const ref = await charged('pm_card_pendingRefund');
    await Promise.allSettled([runActivity(activities.refundPayment, ref)]);
    await failRefund(ref);
    expect((await failuresOf(ref)).map(({ kind }) => kind)).toEqual(['compensation']);
  });
});

describe('a disputed payment', () => {
  const CREATED = ['charge.dispute.created', 'needs_response', 10] as const;
  const UPDATED = ['charge.dispute.updated', 'under_review', 20] as const;
  const CLOSED = ['charge.dispute.closed', 'won', 30] as const;

  let serial = 0;
  async function disputed(charging = charged()) {
    const ref = await charging;
    const { providerPaymentId } = await paymentOf(ref);
    const id = `du_${(serial += 1)}`;
    const report = (type: string, status: string, created: number) =>
      receive(
        type,
        {
          id,
          amount: 1780,
          currency: 'eur',
          reason: 'fraudulent',
          status,
          created: 5,
          payment_intent: providerPaymentId,
          evidence_details: { due_by: 100 },
        },
        created,
      );
    return { ref, id, report };
  }

  it('is a failure until the dispute is closed', async () => {
    const { ref, id, report } = await disputed();
    await report(...CREATED);
    expect(await openFailureOf(ref)).toMatchObject({ kind: 'dispute', errorType: 'payment_disputed' });
    await report(...UPDATED);
    expect(await statusOf(id)).toBe('under_review');
    await report(...CLOSED);
    expect(await statusOf(id)).toBe('won');
    expect(await failuresOf(ref)).toMatchObject([{ kind: 'dispute', status: 'resolved' }]);
  });

  it.each([
    { events: [CREATED, CLOSED, UPDATED] },
    { events: [UPDATED, CREATED, CLOSED] },
    { events: [UPDATED, CLOSED, CREATED] },
    { events: [CLOSED, CREATED, UPDATED] },
    { events: [CLOSED, UPDATED, CREATED] },
  ])('ends as it was closed, in whatever order events come: $events', async ({ events }) => {
    const { ref, id, report } = await disputed();
    for (const [type, status, created] of events) await report(type, status, created);
    expect(await statusOf(id)).toBe('won');
    expect((await failuresOf(ref)).filter(({ status }) => status === 'open')).toEqual([]);
  });

  it('stays closed for a report of the same second', async () => {
    const { id, report } = await disputed();
    await report('charge.dispute.closed', 'lost', 10);
    await report('charge.dispute.updated', 'under_review', 10);
    expect(await statusOf(id)).toBe('lost');
  });

  it('is open again when it is appealed', async () => {
    const { ref, report } = await disputed();
    await report('charge.dispute.closed', 'lost', 10);
    await report('charge.dispute.updated', 'appeal_under_review', 20);
    expect(await openFailureOf(ref)).toMatchObject({ kind: 'dispute' });
  });

  it('opens nothing again that a person has settled', async () => {
    const { ref, report } = await disputed();
    await report(...CREATED);
    await settleFailure.perform({ db }, (await openFailureOf(ref)).id, { reason: 'evidence sent' }, 'key:operator');
    await report(...UPDATED);
    expect(await failuresOf(ref)).toMatchObject([{ status: 'settled' }]);
  });

  it('stays a failure when one of an earlier generation is closed', async () => {
    const first = await disputed();
    const second = await disputed(chargedAgain(first.ref));
    await first.report(...CREATED);
    await second.report(...CREATED);
    await first.report(...CLOSED);
    expect(await failuresOf(first.ref)).toMatchObject([{ kind: 'dispute', status: 'resolved' }]);
    expect(await failuresOf(second.ref)).toMatchObject([{ kind: 'dispute', status: 'open' }]);
  });

  it('stays a failure when its order ends', async () => {
    const { ref, report } = await disputed();
    await report(...CREATED);
    await runActivity(activities.endOrder, ref, { status: 'cancelled', type: 'order_cancelled', message: 'changed my mind' });
    expect(await openFailureOf(ref)).toMatchObject({ kind: 'dispute' });
  });
});

describe('a payment whose answer was lost', () => {
  it('retries the charge of an order that is parked for it', async () => {
    const ref = await shop.placeOrder();
    const event = await lost(ref);
    const parked = await park(ref);
    await Promise.all([recordPaymentWebhook(db, event), recordPaymentWebhook(db, event)]);
    expect(await resolutions(ref)).toMatchObject([{ message: { ...parked, action: 'retry', actor: 'holdfast' } }]);
    expect(await failuresOf(ref)).toMatchObject([{ kind: 'step', status: 'retrying' }]);
    await runActivity(activities.chargePayment, ref);
    expect(await paymentOf(ref)).toMatchObject({ state: 'captured', captured: 1780 });
  });

  it('retries the charge if a late attempt began after the order was parked', async () => {
    const ref = await shop.placeOrder();
    const event = await lost(ref);
    await park(ref);
    await lost(ref);
    await recordPaymentWebhook(db, event);
    expect(await resolutions(ref)).toHaveLength(1);
  });

  it('retries the charge if the order is just being parked', async () => {
    const pauses = await createPauses(shop.environment.DATABASE_URL);
    const ref = await shop.placeOrder();
    const event = await lost(ref);
    // As if its worker had died before it recorded the error.
    const unrecorded = { state: 'running', errorType: null, errorMessage: null } as const;
    await db.update(sagaSteps).set(unrecorded).where(eq(sagaSteps.orderId, ref.orderId));
    const pause = await pauses.before({ table: 'failures', on: 'insert', when: `new.order_id = '${ref.orderId}'` });
    const parking = park(ref);
    await pause.reached();
    const receiving = recordPaymentWebhook(db, event);
    await expect.poll(() => waitingForRows(db)).toBe(1);
    await pause.resume();
    const [parked] = await Promise.all([parking, receiving]);
    expect(await resolutions(ref)).toMatchObject([{ message: { ...parked, action: 'retry' } }]);
    await pauses.close();
  });

  it('retries the charge, too, if the order parks after the report, but only once', async () => {
    const ref = await shop.placeOrder();
    await recordPaymentWebhook(db, await lost(ref));
    expect(await resolutions(ref)).toEqual([]);
    await park(ref);
    expect(await resolutions(ref)).toHaveLength(1);
    await park(ref);
    expect(await resolutions(ref)).toHaveLength(1);
    expect(await failuresOf(ref)).toMatchObject([{ status: 'open', occurrence: 2 }]);
  });

  it('is a failure if the charge was settled by hand as undone, and can be refunded', async () => {
    const ref = await shop.placeOrder();
    const event = await lost(ref);
    shop.payments.faults.set({ mode: 'down' });
    await Promise.allSettled([runActivity(activities.refundPayment, ref)]);
    shop.payments.faults.clear();
    const { id: failureId } = await openFailureOf(ref);
    await runActivity(activities.recordSettlement, ref, { failureId, step: 'charge', actor: 'key:operator' });

    await recordPaymentWebhook(db, event);
    expect(await paymentOf(ref)).toMatchObject({ state: 'captured', captured: 1780, refunded: 0 });
    expect(await openFailureOf(ref)).toMatchObject({ kind: 'refund', errorType: 'unexpected_payment' });
    await retry(ref);
    await refundAgain(ref);
    expect(await paymentOf(ref)).toMatchObject({ state: 'refunded', refunded: 1780 });
  });

  it('changes nothing if the charge is known, or has failed', async () => {
    const ref = await charged();
    const before = await paymentOf(ref);
    await receive('payment_intent.succeeded', { id: before.providerPaymentId, amount_received: 1780 });
    await receive('payment_intent.payment_failed', { id: before.providerPaymentId });
    await receive('payment_intent.canceled', { id: before.providerPaymentId });
    expect(await paymentOf(ref)).toEqual(before);
    expect(await db.$count(failures, and(eq(failures.orderId, ref.orderId)))).toBe(0);
  });
});
