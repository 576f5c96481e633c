import { once } from 'node:events';
import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { createWarehouseActivities } from '../../../src/activities/warehouse.ts';
import { orderWorkflowId } from '../../../src/contracts/ids.ts';
import { RETRY_PROFILES } from '../../../src/contracts/retry-profiles.ts';
import { useRig } from '../../support/rig.ts';

/** What Temporal makes of an attempt that it hears nothing of. (The clock of its test server stops during attempts.) */
const timedOut = () => ApplicationFailure.create({ type: 'timeout', message: 'activity StartToClose timeout' });

/** Freezes the workers of an order after the warehouse has answered, until the signal. */
const freezes = new Map<string, AbortSignal>();
/** How many more attempts of an order end with the death of their worker, after the commit and before Temporal hears of it. */
const deaths = new Map<string, number>();

const rig = await useRig({
  replaceActivities({ db, gateways: { warehouse } }) {
    const shipping = (freeze?: AbortSignal) =>
      createWarehouseActivities({
        db,
        gateway: {
          ...warehouse,
          async requestShipment(key, request) {
            const shipment = await warehouse.requestShipment(key, request);
            if (freeze) await once(freeze, 'abort');
            return shipment;
          },
        },
      });
    return {
      async requestShipment(ref) {
        const freeze = freezes.get(ref.orderId);
        const attempt = shipping(freeze).requestShipment(ref);
        if (freeze) throw timedOut();
        await attempt;
        const left = deaths.get(ref.orderId) ?? 0;
        deaths.set(ref.orderId, left - 1);
        if (left > 0) throw timedOut();
      },
    };
  },
});

/** Delivers the parcel of an order that is in the warehouse. */
async function complete(id: string): Promise<void> {
  await rig.orderStatus(id, 'fulfilling');
  expect(rig.timesDone(id)).toEqual({ charged: 1, shipped: 1 });
  await rig.carrier(id, 'delivered');
  expect(await rig.result(orderWorkflowId(id))).toEqual({ status: 'completed' });
  expect(await rig.saga(id)).toEqual(['reserve: done', 'charge: done', 'ship: done', 'invoice: done']);
}

describe('a step whose attempts have all timed out', () => {
  it('continues the order as soon as one of them succeeds after all', async () => {
    const thaw = new AbortController();
    const id = await rig.acceptOrder();
    freezes.set(id, thaw.signal);
    await rig.deliver();
    await rig.orderStatus(id, 'charged');
    await rig.parked(id);
    await rig.failure(id, { kind: 'step', step: 'ship', status: 'open', errorType: 'timeout' });

    freezes.delete(id);
    thaw.abort();
    await rig.failure(id, { kind: 'step', step: 'ship', status: 'resolved' });
    await rig.deliver();
    await rig.step(id, 'invoice: done');
    await complete(id);
    expect(await rig.failureEvents(id)).toEqual(['opened by holdfast', 'resolved by holdfast']);
    rig.keepAs('order-parked-done-late', orderWorkflowId(id));
  });

  it('continues the order without parking it, if one of them has succeeded', async () => {
    const id = await rig.acceptOrder();
    deaths.set(id, RETRY_PROFILES.warehouse.retry.maximumAttempts);
    await rig.deliver();
    await rig.orderStatus(id, 'fulfilling');
    await rig.skip(60_000);
    await rig.step(id, 'invoice: done');
    await complete(id);
    expect(await rig.failures(id)).toEqual([]);
    expect(await rig.statuses(id)).not.toContain('needs_attention');
  });
});
