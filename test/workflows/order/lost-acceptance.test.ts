import { describe, expect, it } from 'vitest';
import { orderWorkflowId } from '../../../src/contracts/ids.ts';
import { DAY, useRig } from '../../support/rig.ts';

const rig = await useRig();

/** @returns an order that is parked although the warehouse has accepted it: every answer was lost */
async function acceptedUnheard(): Promise<string> {
  rig.warehouse.faults.set({ mode: 'drop_after_commit', operation: 'POST /v1/shipments' });
  const id = await rig.placeOrder();
  await rig.parked(id);
  expect(await rig.saga(id)).toContain('ship: exhausted');
  expect(rig.timesDone(id)).toEqual({ charged: 1, shipped: 1 });
  return id;
}

/** Delivers the parcel and expects that the order was completed like any other. */
async function expectCompleted(id: string): Promise<void> {
  await rig.carrier(id, 'delivered');
  expect(await rig.result(orderWorkflowId(id))).toEqual({ status: 'completed' });
  expect(await rig.saga(id)).toEqual(['reserve: done', 'charge: done', 'ship: done', 'invoice: done']);
  expect(rig.timesDone(id)).toEqual({ charged: 1, shipped: 1 });
}

describe('an order that the warehouse accepted without our hearing it', () => {
  it('continues once the carrier has the parcel', async () => {
    const id = await acceptedUnheard();
    rig.heal();
    await rig.shipSilently(id);
    await rig.carrier(id, 'shipped');
    await rig.orderStatus(id, 'shipped');
    expect(await rig.failures(id)).toMatchObject([{ kind: 'step', step: 'ship', status: 'resolved' }]);
    expect(await rig.failureEvents(id)).toEqual(['opened by holdfast', 'retry_requested by holdfast', 'resolved by holdfast']);
    await expectCompleted(id);
    rig.keepAs('order-parked-shipped', orderWorkflowId(id));
  });

  it('parks again if the answers are still lost, and waits for the next news or a person', async () => {
    const id = await acceptedUnheard();
    await rig.shipSilently(id);
    await rig.carrier(id, 'shipped');
    await rig.orderStatus(id, 'charged');
    await rig.parked(id);
    await rig.skip(DAY);
    expect(await rig.failures(id)).toMatchObject([{ status: 'open', occurrence: 2, attempts: 8 }]);
    rig.heal();
    await expectCompleted(id);
  });

  it('continues if the parcel turns out at the deadline to have left', async () => {
    const id = await acceptedUnheard();
    rig.heal();
    await rig.shipSilently(id);
    await rig.skip(7 * DAY + 60_000);
    await rig.orderStatus(id, 'fulfilling');
    await expectCompleted(id);
    rig.keepAs('order-parking-deadline-parcel-left', orderWorkflowId(id));
  });

  it('continues if it is cancelled after the parcel has left, and may be parked again, but not cancelled', async () => {
    const id = await acceptedUnheard();
    await rig.shipSilently(id);
    await rig.cancel(id);
    await rig.orderStatus(id, 'charged');
    await rig.parked(id);
    expect(await rig.order(id)).toMatchObject({ cancellationStatus: 'refused', cancellationReason: 'changed my mind' });
    await expect(rig.giveUp(id)).rejects.toMatchObject({ type: 'order_not_cancellable' });
    rig.heal();
    await rig.retry(id);
    await rig.orderStatus(id, 'fulfilling');
    await expectCompleted(id);
  });

  it('is undone if the warehouse can still stop the parcel', async () => {
    const id = await acceptedUnheard();
    await rig.cancel(id);
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
    expect(await rig.money(id)).toEqual({ ours: 0, theirs: 0 });
    rig.keepAs('order-parked-withdrawn', orderWorkflowId(id));
  });
});
