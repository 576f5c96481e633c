import { describe, expect, it } from 'vitest';
import { orderWorkflowId } from '../../../src/contracts/ids.ts';
import { about, HOUR, useRig } from '../../support/rig.ts';

const rig = await useRig();

describe('a late shipment', () => {
  it('is reported to operations after 48 h, then every 24 h until it is shipped', async () => {
    const id = await rig.fulfillingOrder();
    await rig.skip(97 * HOUR);
    expect(await rig.timers(orderWorkflowId(id))).toEqual([about(48 * HOUR), about(24 * HOUR), about(24 * HOUR)]);
    expect(await rig.failures(id)).toMatchObject([{ kind: 'late_shipment', step: 'ship', status: 'open' }]);
    expect(await rig.sent(id)).toEqual(['late_shipment', 'late_shipment', 'late_shipment', 'order_confirmed']);

    await rig.carrier(id, 'shipped');
    await rig.orderStatus(id, 'shipped');
    await expect.poll(() => rig.failures(id)).toMatchObject([{ kind: 'late_shipment', status: 'resolved' }]);
    await rig.carrier(id, 'delivered');
    expect(await rig.result(orderWorkflowId(id))).toEqual({ status: 'completed' });
    expect(await rig.sent(id)).toHaveLength(6);
    rig.keepAs('order-late-shipment', orderWorkflowId(id));
  });

  it('can still be cancelled', async () => {
    const id = await rig.fulfillingOrder();
    await rig.skip(49 * HOUR);
    await rig.failure(id, { kind: 'late_shipment', status: 'open' });
    await rig.cancel(id);
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
    expect(await rig.failures(id)).toMatchObject([{ kind: 'late_shipment', status: 'cancelled' }]);
  });

  it('is reported no later because a cancellation was refused', async () => {
    const id = await rig.fulfillingOrder();
    await rig.shipSilently(id);
    await rig.skip(40 * HOUR);
    await rig.cancel(id);
    await rig.skip(9 * HOUR);
    await rig.failure(id, { kind: 'late_shipment', status: 'open' });
    await rig.carrier(id, 'delivered');
    expect(await rig.result(orderWorkflowId(id))).toEqual({ status: 'completed' });
  });

  it('is not reported if it is shipped just in time', async () => {
    const id = await rig.fulfillingOrder();
    await rig.skip(47 * HOUR);
    await rig.carrier(id, 'shipped');
    await rig.orderStatus(id, 'shipped');
    await rig.carrier(id, 'delivered');
    await rig.result(orderWorkflowId(id));
    expect(await rig.failures(id)).toEqual([]);
  });
});
