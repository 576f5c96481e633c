import { describe, expect, it } from 'vitest';
import { orderWorkflowId, shipmentReference } from '../../../src/contracts/ids.ts';
import { createPaymentGateway } from '../../../src/gateways/stripe.ts';
import { settleFailure } from '../../../src/operate/failures.ts';
import { readSteps } from '../../../src/queries/order-story.ts';
import { ALL_UNDONE, useRig } from '../../support/rig.ts';

const rig = await useRig();

describe('a compensation that keeps failing', () => {
  it('can be settled by hand, and the order continues without it', async () => {
    rig.payments.faults.set({ mode: 'error_before', operation: 'GET /v1/refunds' });
    const id = await rig.placeOrder({
      shippingAddress: { line1: 'Nowhere 1', city: 'Nowhere', postalCode: '00000', country: 'GB' },
    });
    await rig.failure(id, { kind: 'compensation', step: 'charge', status: 'open' });
    await refundByHand(id);
    const [failure] = await rig.failures(id);
    await settleFailure.perform(rig, failure?.id ?? '', { reason: 'refunded by hand' }, 'key:operator');
    await rig.deliver();

    expect(await rig.endedBadly(id)).toBe('invalid_address');
    expect(await rig.failures(id)).toMatchObject([{ kind: 'compensation', status: 'settled' }]);
    expect(await rig.failureEvents(id)).toEqual([
      'opened by holdfast',
      'settlement_requested by key:operator',
      'settled by key:operator',
    ]);
    expect(await rig.saga(id)).toContain('undo charge: done');
    expect(await rig.saga(id)).toContain('undo reserve: done');
  });
});

const settle = (failureId: string) =>
  settleFailure.perform(rig, failureId, { reason: 'dealt with by hand' }, 'key:operator');

describe('a cancellation while the warehouse does not answer', () => {
  const CANCELLATION = 'POST /v1/shipments/:reference/cancellation';

  /** Cancels an order, and waits until asking the warehouse has failed. @returns the id of the failure */
  async function cancelled(id: string): Promise<string> {
    rig.warehouse.faults.set({ mode: 'error_before', operation: CANCELLATION });
    await rig.cancel(id);
    await rig.failure(id, { kind: 'compensation', step: 'ship', status: 'open' });
    rig.heal();
    return (await rig.failures(id)).find(({ status }) => status === 'open')?.id ?? '';
  }

  it('is settled by hand: the parcel counts as stopped, and the order is undone', async () => {
    const id = await rig.fulfillingOrder();
    const failureId = await cancelled(id);
    await rig.gateways.warehouse.cancelShipment(shipmentReference({ orderId: id, generation: 1 }));
    await settle(failureId);
    await rig.deliver();
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
    expect(await rig.failures(id)).toMatchObject([{ status: 'settled' }]);
    expect((await rig.saga(id)).toSorted()).toEqual(ALL_UNDONE.toSorted());
    const settled = (await readSteps(rig.db, id)).find(({ step, kind }) => step === 'ship' && kind === 'compensation');
    expect(settled).toMatchObject({ actor: 'key:operator', reason: 'dealt with by hand' });
    rig.keepAs('order-withdrawal-settled', orderWorkflowId(id));
  });

  it('asks the warehouse again when its run is cancelled as well, even if the first was settled too late', async () => {
    const id = await rig.fulfillingOrder();
    await rig.shipSilently(id);
    const failureId = await cancelled(id);
    // The settlement is still on its way when the warehouse answers that the parcel has left.
    await settle(failureId);
    await rig.skip(10_000);
    await rig.failure(id, { id: failureId, status: 'resolved' });
    await rig.deliver();

    const run = rig.client.workflow.getHandle(orderWorkflowId(id));
    const timesAsked = async () =>
      ((await run.fetchHistory()).events ?? []).filter(
        ({ activityTaskScheduledEventAttributes: scheduled }) => scheduled?.activityType?.name === 'withdrawShipment',
      ).length;
    const before = await timesAsked();
    await run.cancel();
    await expect.poll(timesAsked, { timeout: 30_000 }).toBeGreaterThan(before);
    expect(await rig.order(id)).toMatchObject({ status: 'fulfilling', cancellationStatus: 'refused' });
    await rig.carrier(id, 'delivered');
    expect(await rig.result(orderWorkflowId(id))).toEqual({ status: 'completed' });
    expect(await rig.failures(id)).toMatchObject([{ status: 'resolved' }]);
    // The customer hears of it once.
    expect(await rig.sent(id)).toEqual(['cancellation_refused', 'order_confirmed', 'order_delivered', 'order_shipped']);
    rig.keepAs('order-settled-too-late', orderWorkflowId(id));
  });
});

/** Refunds as a person would, in the provider's dashboard. */
async function refundByHand(orderId: string): Promise<void> {
  const paid = rig.payments.ledger().find((entry) => entry.type === 'payment_intent.succeeded');
  if (paid?.type !== 'payment_intent.succeeded') throw new Error('nothing was paid');
  const gateway = createPaymentGateway({ secretKey: 'sk_test_rig', apiBase: rig.payments.url });
  await gateway.refund(`by-hand:${orderId}`, paid.paymentIntent, paid.amount);
}
