import { describe, expect, it } from 'vitest';
import { orderWorkflowId, shortNumber } from '../../../src/contracts/ids.ts';
import { cancelOrder } from '../../../src/intake/orders.ts';
import { ALL_UNDONE, useRig } from '../../support/rig.ts';

const rig = await useRig();

const BY_CUSTOMER = {
  cancellationReason: 'changed my mind',
  cancellationActor: `key:${rig.caller.keyId}`,
  cancellationRequestedAt: expect.any(Date) as unknown,
};
const DONE = { cancellationStatus: 'done', cancellationSettledAt: expect.any(Date) as unknown };
const REFUSED = { cancellationStatus: 'refused', cancellationSettledAt: expect.any(Date) as unknown };

/** The subject of the email that says that the cancellation of an order was refused. */
const refusalOf = (id: string) => new RegExp(`^We could not cancel your order ${shortNumber(id)}$`);

/** @returns the text of the email that says that the parcel of an order is on its way */
async function shippingLetter(id: string): Promise<string | undefined> {
  const messages = rig.inbox.messages({ to: await rig.addressOf(id) });
  return messages.find(({ subject }) => subject === `Your order ${shortNumber(id)} is on its way`)?.text;
}

async function shippedOrder(): Promise<string> {
  const id = await rig.fulfillingOrder();
  await rig.carrier(id, 'shipped');
  await rig.orderStatus(id, 'shipped');
  return id;
}

describe('a cancellation', () => {
  it('before the order has started takes effect as soon as it starts', async () => {
    const id = await rig.acceptOrder();
    await rig.cancel(id);
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
    expect(await rig.order(id)).toMatchObject({
      status: 'cancelled',
      failureType: 'order_cancelled',
      failureMessage: 'changed my mind',
    });
    expect(rig.timesDone(id).shipped).toBe(0);
    expect(await rig.sent(id)).toEqual(['order_cancelled']);
    rig.keepAs('order-cancelled-early', orderWorkflowId(id));
  });

  it('interrupts a charge that is being retried', async () => {
    rig.payments.faults.set({ mode: 'error_before' });
    const id = await rig.placeOrder();
    await rig.orderStatus(id, 'reserved');
    await rig.skip(20_000);
    await rig.cancel(id);
    await rig.orderStatus(id, 'compensating');
    rig.heal();
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
    expect(await rig.saga(id)).toEqual(['reserve: undone', 'charge: undone', 'undo charge: done', 'undo reserve: done']);
    expect((await rig.order(id)).status).toBe('cancelled');
    expect((await rig.failures(id)).filter(({ kind }) => kind === 'step')).toEqual([]);
    rig.keepAs('order-cancelled-charging', orderWorkflowId(id));
  });

  it('refunds a charge that succeeds while it arrives', async () => {
    rig.payments.faults.set({ mode: 'slow', delayMs: 600 });
    const id = await rig.placeOrder();
    await rig.step(id, 'charge: running');
    await rig.cancel(id);
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
    expect(rig.timesDone(id).shipped).toBe(0);
  });

  it('of a charged order whose warehouse is down completes once the warehouse is back', async () => {
    rig.warehouse.faults.set({ mode: 'down' });
    const id = await rig.placeOrder();
    await rig.step(id, 'ship: retrying');
    await rig.cancel(id);
    await rig.skip(60_000);
    await rig.failure(id, { kind: 'compensation', step: 'ship', status: 'open' });
    rig.heal();
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
    expect(rig.timesDone(id)).toEqual({ charged: 1, shipped: 0 });
    // It never parked: no one has to decide about an order that has been cancelled.
    expect((await rig.failures(id)).map(({ kind, status }) => `${kind}: ${status}`)).toEqual(['compensation: resolved']);
    rig.keepAs('order-cancelled-charged', orderWorkflowId(id));
  });

  it('of a charged order cancels the shipment that the warehouse is just accepting', async () => {
    rig.warehouse.faults.set({ mode: 'slow', delayMs: 1_000 });
    const id = await rig.placeOrder();
    await rig.step(id, 'ship: running');
    await rig.cancel(id);
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
    expect(rig.timesDone(id)).toEqual({ charged: 1, shipped: 1 });
  });

  it('of an order in the warehouse stops the parcel first, then undoes everything', async () => {
    const id = await rig.fulfillingOrder();
    await rig.cancel(id);
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
    expect(await rig.order(id)).toMatchObject({ status: 'cancelled', ...BY_CUSTOMER, ...DONE });
    expect(await rig.cancellations(id)).toEqual(['requested', 'done']);
    expect(await rig.saga(id)).toEqual(ALL_UNDONE);
    expect(await rig.sent(id)).toEqual(['order_cancelled', 'order_confirmed']);
    rig.keepAs('order-cancelled-fulfilling', orderWorkflowId(id));
  });

  it('opens a failure while the parcel cannot be stopped', async () => {
    const id = await rig.fulfillingOrder();
    rig.warehouse.faults.set({ mode: 'down' });
    await rig.cancel(id);
    await rig.failure(id, { kind: 'compensation', step: 'ship', status: 'open' });
    expect((await rig.order(id)).status).toBe('fulfilling');
    rig.heal();
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
    expect(await rig.failures(id)).toMatchObject([{ kind: 'compensation', status: 'resolved' }]);
  });

  it('is refused if the parcel has left without our knowing, and the order continues', async () => {
    const id = await rig.fulfillingOrder();
    await rig.shipSilently(id);
    await rig.cancel(id);
    await rig.skip(60_000);
    expect(await rig.order(id)).toMatchObject({ status: 'fulfilling', ...BY_CUSTOMER, ...REFUSED });
    expect(await rig.cancellations(id)).toEqual(['requested', 'refused']);
    await rig.email(await rig.addressOf(id), refusalOf(id));
    await rig.carrier(id, 'shipped');
    await rig.orderStatus(id, 'shipped');
    await rig.carrier(id, 'delivered');
    expect(await rig.result(orderWorkflowId(id))).toEqual({ status: 'completed' });
    expect(await rig.order(id)).toMatchObject({ status: 'completed', ...REFUSED });
    // The customer hears of it once.
    expect(await rig.sent(id)).toEqual(['cancellation_refused', 'order_confirmed', 'order_delivered', 'order_shipped']);
    expect(await shippingLetter(id)).not.toContain('cancel');
    expect(await rig.money(id)).toEqual({ ours: 1780, theirs: 1780 });
    expect(await rig.saga(id)).toEqual(['reserve: done', 'charge: done', 'ship: done', 'invoice: done']);
    rig.keepAs('order-cancellation-refused', orderWorkflowId(id));
  });

  it('is refused at once when it is requested again', async () => {
    const id = await rig.fulfillingOrder();
    await rig.shipSilently(id);
    await rig.cancel(id);
    await rig.email(await rig.addressOf(id), refusalOf(id));
    await expect(rig.cancel(id)).rejects.toMatchObject({ type: 'order_not_cancellable' });
    await rig.carrier(id, 'delivered');
    expect(await rig.result(orderWorkflowId(id))).toEqual({ status: 'completed' });
  });

  it('whose command is delivered twice is refused, and told, once', async () => {
    const id = await rig.fulfillingOrder();
    await rig.shipSilently(id);
    rig.inbox.faults.set({ mode: 'error_before' });
    await rig.cancel(id);
    await expect.poll(() => rig.cancellations(id)).toEqual(['requested', 'refused']);
    await rig.client.workflow.getHandle(orderWorkflowId(id)).signal('cancelOrder', { actor: 'key:customer' });
    rig.heal();
    await rig.carrier(id, 'delivered');
    expect(await rig.result(orderWorkflowId(id))).toEqual({ status: 'completed' });
    expect(await rig.cancellations(id)).toEqual(['requested', 'refused']);
    expect(rig.emails(await rig.addressOf(id)).filter((subject) => refusalOf(id).test(subject))).toHaveLength(1);
  });

  it('is told in the email about the shipment if the carrier had the parcel before it arrived', async () => {
    const id = await rig.fulfillingOrder();
    await rig.shipSilently(id);
    await cancelOrder(rig.db, rig.caller, id, 'too late');
    await rig.client.workflow
      .getHandle(orderWorkflowId(id))
      .signal('carrierUpdate', { generation: 1, type: 'shipped', carrier: 'Parcel Post', trackingNumber: 'PP1' });
    await rig.orderStatus(id, 'shipped');
    await rig.deliver();
    await rig.carrier(id, 'delivered');
    expect(await rig.result(orderWorkflowId(id))).toEqual({ status: 'completed' });
    expect(await rig.order(id)).toMatchObject({ status: 'completed', cancellationReason: 'too late', ...REFUSED });
    expect(await rig.cancellations(id)).toEqual(['requested', 'refused']);
    expect(await rig.sent(id)).toEqual(['order_confirmed', 'order_delivered', 'order_shipped']);
    expect(await shippingLetter(id)).toContain('We could not cancel your order any more');
  });

  it('is refused once the order has been shipped', async () => {
    const id = await shippedOrder();
    await expect(rig.cancel(id)).rejects.toMatchObject({ type: 'order_not_cancellable' });
    await rig.carrier(id, 'delivered');
    expect(await rig.result(orderWorkflowId(id))).toEqual({ status: 'completed' });
    await expect(rig.cancel(id)).rejects.toMatchObject({ type: 'order_not_cancellable' });
  });

  it('may be repeated, but takes effect once', async () => {
    const id = await rig.fulfillingOrder();
    await Promise.all([rig.cancel(id, 'first'), rig.cancel(id, 'second')]);
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
    await rig.cancel(id);
    expect(await rig.sent(id)).toEqual(['order_cancelled', 'order_confirmed']);
  });

  it('of the run in Temporal has the same effect', async () => {
    const id = await rig.fulfillingOrder();
    await rig.client.workflow.getHandle(orderWorkflowId(id)).cancel();
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
    expect(await rig.order(id)).toMatchObject({
      status: 'cancelled',
      failureMessage: 'Cancelled by temporal.',
      cancellationReason: null,
      ...DONE,
    });
    rig.keepAs('order-cancelled-in-temporal', orderWorkflowId(id));
  });

  it('of the run in Temporal is not told when it is refused: nobody has requested it', async () => {
    const id = await rig.fulfillingOrder();
    await rig.shipSilently(id);
    await rig.client.workflow.getHandle(orderWorkflowId(id)).cancel();
    await rig.carrier(id, 'delivered');
    expect(await rig.result(orderWorkflowId(id))).toEqual({ status: 'completed' });
    expect(await rig.order(id)).toMatchObject({ status: 'completed', cancellationStatus: null });
    expect(await rig.sent(id)).toEqual(['order_confirmed', 'order_delivered', 'order_shipped']);
  });

  it('is done, too, if its order fails for another reason before', async () => {
    rig.payments.faults.set({ mode: 'slow', delayMs: 600 });
    const id = await rig.placeOrder({ payment: { method: 'pm_card_visa_chargeDeclined' } });
    await rig.step(id, 'charge: running');
    await cancelOrder(rig.db, rig.caller, id, 'changed my mind');
    expect(await rig.endedBadly(id)).toBe('card_declined');
    expect(await rig.order(id)).toMatchObject({ status: 'failed', failureType: 'card_declined', ...BY_CUSTOMER, ...DONE });
  });

  it('of the run in Temporal does not affect an order that has been shipped', async () => {
    const id = await shippedOrder();
    await rig.client.workflow.getHandle(orderWorkflowId(id)).cancel();
    await rig.carrier(id, 'delivered');
    expect(await rig.result(orderWorkflowId(id))).toEqual({ status: 'completed' });
  });
});
