import { describe, expect, it } from 'vitest';
import { orderWorkflowId } from '../../../src/contracts/ids.ts';
import { cancelFailure, retryFailure } from '../../../src/operate/failures.ts';
import { about, DAY, useRig } from '../../support/rig.ts';

const rig = await useRig();

/** @returns an order that is parked because the warehouse is down */
async function parkedOrder(): Promise<string> {
  rig.warehouse.faults.set({ mode: 'down' });
  const id = await rig.placeOrder();
  await rig.orderStatus(id, 'charged');
  await rig.parked(id);
  return id;
}

describe('an order whose warehouse is down', () => {
  it('parks after four attempts, and continues from there after a retry', async () => {
    const id = await parkedOrder();
    expect(await rig.failures(id)).toMatchObject([
      {
        kind: 'step',
        step: 'ship',
        status: 'open',
        attempts: 4,
        occurrence: 1,
        errorType: 'warehouse_unavailable',
        workflowId: orderWorkflowId(id),
        nextRetryAt: null,
      },
    ]);
    expect(await rig.saga(id)).toEqual(['reserve: done', 'charge: done', 'ship: exhausted']);

    rig.heal();
    await rig.retry(id);
    await rig.orderStatus(id, 'fulfilling');
    expect(rig.timesDone(id)).toEqual({ charged: 1, shipped: 1 });
    expect(await rig.failures(id)).toMatchObject([{ status: 'resolved' }]);
    expect(await rig.failureEvents(id)).toEqual([
      'opened by holdfast',
      'retry_requested by key:operator',
      'resolved by holdfast',
    ]);
    await rig.carrier(id, 'delivered');
    expect(await rig.result(orderWorkflowId(id))).toEqual({ status: 'completed' });
    expect(await rig.saga(id)).toEqual(['reserve: done', 'charge: done', 'ship: done', 'invoice: done']);
    expect(await rig.statuses(id)).toEqual([
      'accepted',
      'reserved',
      'charged',
      'needs_attention',
      'charged',
      'fulfilling',
      'shipped',
      'completed',
    ]);
    rig.keepAs('order-parked-retried', orderWorkflowId(id));
  });

  it('parks again as the next occurrence if the retry fails, too, after four more attempts', async () => {
    const id = await parkedOrder();
    await rig.retry(id, 'maybe now');
    await rig.orderStatus(id, 'charged');
    await rig.parked(id);
    expect(await rig.failures(id)).toMatchObject([{ status: 'open', occurrence: 2, attempts: 8 }]);

    rig.heal();
    await rig.retry(id, 'now it is back');
    await rig.orderStatus(id, 'fulfilling');
    expect(rig.timesDone(id)).toEqual({ charged: 1, shipped: 1 });
    expect(await rig.failureEvents(id)).toEqual([
      'opened by holdfast',
      'retry_requested by key:operator',
      'reopened by holdfast',
      'retry_requested by key:operator',
      'resolved by holdfast',
    ]);
    await rig.carrier(id, 'delivered');
    await rig.result(orderWorkflowId(id));
    rig.keepAs('order-parked-twice', orderWorkflowId(id));
  });

  it('ignores a retry of an earlier parking', async () => {
    const id = await parkedOrder();
    const [failure] = await rig.failures(id);
    const stale = { failureId: failure?.id, occurrence: 1, action: 'retry', actor: 'key:operator' };
    await rig.retry(id);
    await rig.orderStatus(id, 'charged');
    await rig.parked(id);
    rig.heal();
    await rig.client.workflow.getHandle(orderWorkflowId(id)).signal('resolveFailure', stale);
    await rig.skip(60_000);
    expect((await rig.order(id)).status).toBe('needs_attention');

    await rig.retry(id);
    await rig.orderStatus(id, 'fulfilling');
    await rig.carrier(id, 'delivered');
    await rig.result(orderWorkflowId(id));
  });

  it('is cancelled by an operator, and everything is undone', async () => {
    const id = await parkedOrder();
    rig.heal();
    await rig.giveUp(id, 'the warehouse has burnt down');
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
    expect(await rig.order(id)).toMatchObject({
      status: 'cancelled',
      failureMessage: 'the warehouse has burnt down',
      cancellationStatus: 'done',
      cancellationReason: 'the warehouse has burnt down',
      cancellationActor: 'key:operator',
    });
    expect(await rig.saga(id)).toEqual([
      'reserve: undone',
      'charge: undone',
      'ship: exhausted',
      'undo ship: done',
      'undo charge: done',
      'undo reserve: done',
    ]);
    expect(await rig.failures(id)).toMatchObject([{ status: 'cancelled' }]);
    expect(await rig.failureEvents(id)).toEqual([
      'opened by holdfast',
      'cancel_requested by key:operator',
      'cancelled by holdfast',
    ]);
    rig.keepAs('order-parked-given-up', orderWorkflowId(id));
  });

  it('follows the first of two answers to the same parking', async () => {
    const id = await parkedOrder();
    const [failure] = await rig.failures(id);
    // Sent before it parks for the second time, so that it finds both at once.
    const answer = { failureId: failure?.id, occurrence: 2, actor: 'key:operator' };
    const run = rig.client.workflow.getHandle(orderWorkflowId(id));
    await run.signal('resolveFailure', { ...answer, action: 'cancel' });
    await run.signal('resolveFailure', { ...answer, action: 'retry' });
    await rig.retry(id);
    await rig.skip(60_000);
    await rig.failure(id, { kind: 'compensation', step: 'ship' });
    rig.heal();
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
  });

  it('is cancelled by the customer', async () => {
    const id = await parkedOrder();
    rig.heal();
    await rig.cancel(id);
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
    expect(await rig.failures(id)).toMatchObject([{ status: 'cancelled' }]);
    rig.keepAs('order-parked-cancelled', orderWorkflowId(id));
  });

  it('takes no other decision once the customer has cancelled it, even if it cannot be undone yet', async () => {
    const id = await parkedOrder();
    await rig.cancel(id);
    await rig.failure(id, { kind: 'compensation', step: 'ship', status: 'open' });
    const [failure] = await rig.failures(id);
    for (const action of [retryFailure, cancelFailure]) {
      const request = action.perform(rig, failure?.id ?? '', { reason: 'too late' }, 'key:operator');
      await expect(request).rejects.toMatchObject({ type: 'already_requested' });
    }
    rig.heal();
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
    expect((await rig.failures(id)).map(({ kind, status }) => `${kind}: ${status}`)).toEqual([
      'step: cancelled',
      'compensation: resolved',
    ]);
  });

  it('fails if it is not fixed within 7 days, and everything is undone', async () => {
    const id = await parkedOrder();
    rig.heal();
    expect(await rig.endedBadly(id)).toBe('parking_deadline_passed');
    expect(await rig.order(id)).toMatchObject({ status: 'failed', failureType: 'parking_deadline_passed' });
    expect((await rig.timers(orderWorkflowId(id))).at(-1)).toEqual(about(7 * DAY));
    expect(await rig.failures(id)).toMatchObject([{ status: 'cancelled' }]);
    rig.keepAs('order-parking-deadline', orderWorkflowId(id));
  });
});

describe('an order whose payment provider is down', () => {
  it('parks after twelve attempts, and is charged once after a retry', async () => {
    rig.payments.faults.set({ mode: 'error_before' });
    const id = await rig.placeOrder();
    await rig.parked(id);
    expect(await rig.failures(id)).toMatchObject([
      { step: 'charge', status: 'open', attempts: 12, errorType: 'payment_unavailable' },
    ]);
    rig.heal();
    await rig.retry(id);
    await rig.orderStatus(id, 'fulfilling');
    expect(rig.timesDone(id)).toEqual({ charged: 1, shipped: 1 });
    await rig.carrier(id, 'delivered');
    await rig.result(orderWorkflowId(id));
    rig.keepAs('order-charge-parked-retried', orderWorkflowId(id));
  });

  it('is cancelled at once if the customer cancels during a retry by an operator', async () => {
    rig.payments.faults.set({ mode: 'error_before' });
    const id = await rig.placeOrder();
    await rig.parked(id);
    await rig.retry(id);
    await rig.orderStatus(id, 'reserved');
    // Between two attempts: see `rig.step`.
    await rig.skip(20_000);
    await rig.cancel(id);
    await rig.orderStatus(id, 'compensating');
    rig.heal();
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
    expect(await rig.failures(id)).toMatchObject([{ kind: 'step', status: 'cancelled' }]);
  });
});
