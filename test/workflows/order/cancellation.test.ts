import { describe, expect, it } from 'vitest';
import { orderWorkflowId } from '../../../src/contracts/ids.ts';
import { requestCancellation } from '../../../src/intake/orders.ts';
import { useRig } from '../../support/rig.ts';

const rig = await useRig();

async function fulfillingOrder(): Promise<string> {
  const id = await rig.placeOrder();
  await rig.orderStatus(id, 'fulfilling');
  return id;
}

async function shippedOrder(): Promise<string> {
  const id = await fulfillingOrder();
  await rig.carrier(id, 'shipped');
  await rig.orderStatus(id, 'shipped');
  return id;
}

describe('a cancellation', () => {
  it('before the order has started is heard as soon as it has', async () => {
    // The cancellation is to come while the charge is under way, not as it ends: see `rig.step`.
    rig.payments.faults.set({ mode: 'slow', delayMs: 200 });
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

  it('gives the money back when the charge went through while it came', async () => {
    rig.payments.faults.set({ mode: 'slow', delayMs: 200 });
    const id = await rig.placeOrder();
    await rig.step(id, 'charge: running');
    await rig.cancel(id);
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
    expect(rig.timesDone(id).shipped).toBe(0);
  });

  it('of a charged order whose warehouse is down is done once the warehouse is back', async () => {
    rig.warehouse.faults.set({ mode: 'down' });
    const id = await rig.placeOrder();
    await rig.step(id, 'ship: retrying');
    await rig.cancel(id);
    await rig.skip(60_000);
    await rig.failure(id, { kind: 'compensation', step: 'ship', status: 'open' });
    rig.heal();
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
    expect(rig.timesDone(id)).toEqual({ charged: 1, shipped: 0 });
    // It never parked: nobody is asked about an order that is not wanted any more.
    expect((await rig.failures(id)).map(({ kind, status }) => `${kind}: ${status}`)).toEqual(['compensation: resolved']);
    rig.keepAs('order-cancelled-charged', orderWorkflowId(id));
  });

  it('of a charged order takes the parcel back that the warehouse was just accepting', async () => {
    rig.warehouse.faults.set({ mode: 'slow', delayMs: 200 });
    const id = await rig.placeOrder();
    await rig.step(id, 'ship: running');
    await rig.cancel(id);
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
    expect(rig.timesDone(id)).toEqual({ charged: 1, shipped: 1 });
  });

  it('of an order in the warehouse withdraws the parcel first, then undoes everything', async () => {
    const id = await fulfillingOrder();
    await rig.cancel(id);
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
    expect(await rig.order(id)).toMatchObject({ status: 'cancelled' });
    expect(await rig.saga(id)).toEqual([
      'reserve: undone',
      'charge: undone',
      'ship: undone',
      'invoice: undone',
      'undo invoice: done',
      'undo ship: done',
      'undo charge: done',
      'undo reserve: done',
    ]);
    expect(await rig.sent(id)).toEqual(['order_cancelled', 'order_confirmed']);
    rig.keepAs('order-cancelled-fulfilling', orderWorkflowId(id));
  });

  it('shows among the failures while the parcel cannot be withdrawn', async () => {
    const id = await fulfillingOrder();
    rig.warehouse.faults.set({ mode: 'down' });
    await rig.cancel(id);
    await rig.failure(id, { kind: 'compensation', step: 'ship', status: 'open' });
    expect((await rig.order(id)).status).toBe('fulfilling');
    rig.heal();
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
    expect(await rig.failures(id)).toMatchObject([{ kind: 'compensation', status: 'resolved' }]);
  });

  it('is refused when the parcel has left without our knowing, and the order goes on', async () => {
    const id = await fulfillingOrder();
    await rig.shipSilently(id);
    await rig.cancel(id);
    await rig.skip(60_000);
    expect(await rig.order(id)).toMatchObject({ status: 'fulfilling', cancellationReason: null });
    await rig.carrier(id, 'shipped');
    await rig.orderStatus(id, 'shipped');
    await rig.carrier(id, 'delivered');
    expect(await rig.result(orderWorkflowId(id))).toEqual({ status: 'completed' });
    expect(await rig.money(id)).toEqual({ ours: 1780, theirs: 1780 });
    expect(await rig.saga(id)).toEqual(['reserve: done', 'charge: done', 'ship: done', 'invoice: done']);
    rig.keepAs('order-cancellation-refused', orderWorkflowId(id));
  });

  it('leaves no trace when the carrier had the parcel before it was heard', async () => {
    const id = await fulfillingOrder();
    await rig.shipSilently(id);
    await requestCancellation(rig.db, rig.caller, id, 'too late');
    await rig.client.workflow
      .getHandle(orderWorkflowId(id))
      .signal('carrierUpdate', { generation: 1, type: 'shipped', carrier: 'Parcel Post', trackingNumber: 'PP1' });
    await rig.orderStatus(id, 'shipped');
    await rig.deliver();
    await rig.carrier(id, 'delivered');
    expect(await rig.result(orderWorkflowId(id))).toEqual({ status: 'completed' });
    expect(await rig.order(id)).toMatchObject({ status: 'completed', cancellationReason: null });
  });

  it('is refused once the order has been shipped', async () => {
    const id = await shippedOrder();
    await expect(rig.cancel(id)).rejects.toMatchObject({ type: 'order_not_cancellable' });
    await rig.carrier(id, 'delivered');
    expect(await rig.result(orderWorkflowId(id))).toEqual({ status: 'completed' });
    await expect(rig.cancel(id)).rejects.toMatchObject({ type: 'order_not_cancellable' });
  });

  it('may be repeated, and counts once', async () => {
    const id = await fulfillingOrder();
    await Promise.all([rig.cancel(id, 'first'), rig.cancel(id, 'second')]);
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
    await rig.cancel(id);
    expect(await rig.sent(id)).toEqual(['order_cancelled', 'order_confirmed']);
  });

  it('of the run in Temporal takes the same way', async () => {
    const id = await fulfillingOrder();
    await rig.client.workflow.getHandle(orderWorkflowId(id)).cancel();
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
    expect(await rig.order(id)).toMatchObject({ status: 'cancelled', failureMessage: 'The run was cancelled in Temporal.' });
    rig.keepAs('order-cancelled-in-temporal', orderWorkflowId(id));
  });

  it('of the run in Temporal does nothing to an order that has been shipped', async () => {
    const id = await shippedOrder();
    await rig.client.workflow.getHandle(orderWorkflowId(id)).cancel();
    await rig.carrier(id, 'delivered');
    expect(await rig.result(orderWorkflowId(id))).toEqual({ status: 'completed' });
  });
});
