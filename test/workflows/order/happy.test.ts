import { describe, expect, it } from 'vitest';
import { orderWorkflowId } from '../../../src/contracts/ids.ts';
import { about, DAY, useRig } from '../../support/rig.ts';

const rig = await useRig();

describe('an order that goes well', () => {
  it('is reserved, charged, sent, invoiced, shipped and delivered', async () => {
    const id = await rig.fulfillingOrder();
    await rig.carrier(id, 'shipped');
    await rig.orderStatus(id, 'shipped');
    // Emails are sent alongside: the next one could overtake this one.
    await rig.email('ada@example.com', /on its way/);
    await rig.carrier(id, 'delivered');
    expect(await rig.result(orderWorkflowId(id))).toEqual({ status: 'completed' });

    expect(await rig.statuses(id)).toEqual([
      'accepted',
      'reserved',
      'charged',
      'fulfilling',
      'shipped',
      'completed',
    ]);
    expect(await rig.saga(id)).toEqual(['reserve: done', 'charge: done', 'ship: done', 'invoice: done']);
    expect(await rig.money(id)).toEqual({ ours: 1780, theirs: 1780 });
    expect(rig.emails('ada@example.com')).toEqual([
      expect.stringMatching(/confirmed/),
      expect.stringMatching(/on its way/),
      expect.stringMatching(/has arrived/),
    ]);
    expect(await rig.failures(id)).toEqual([]);
    rig.keepAs('order-delivered', orderWorkflowId(id));
  });

  it('counts as delivered 14 days after shipping without a message from the carrier', async () => {
    const id = await rig.fulfillingOrder();
    await rig.carrier(id, 'shipped');
    await rig.result(orderWorkflowId(id));
    expect((await rig.order(id)).status).toBe('completed');
    expect(await rig.timers(orderWorkflowId(id))).toEqual([about(14 * DAY)]);
    rig.keepAs('order-delivery-assumed', orderWorkflowId(id));
  });

  it('completes if "delivered" overtakes "shipped"', async () => {
    const id = await rig.fulfillingOrder();
    await rig.carrier(id, 'delivered');
    expect(await rig.result(orderWorkflowId(id))).toEqual({ status: 'completed' });
    await rig.carrier(id, 'shipped');
    expect((await rig.statuses(id)).slice(-2)).toEqual(['shipped', 'completed']);
    // The last two are sent concurrently.
    expect(await rig.sent(id)).toEqual(['order_confirmed', 'order_delivered', 'order_shipped']);
    rig.keepAs('order-delivered-overtakes-shipped', orderWorkflowId(id));
  });

  it('ignores messages from the carrier about another generation', async () => {
    const id = await rig.fulfillingOrder();
    const run = rig.client.workflow.getHandle(orderWorkflowId(id));
    const message = { generation: 2, carrier: 'Parcel Post', trackingNumber: 'PP2' };
    await run.signal('carrierUpdate', { ...message, type: 'rejected' });
    await run.signal('carrierUpdate', { ...message, type: 'delivered' });
    await rig.skip(60_000);
    expect((await rig.order(id)).status).toBe('fulfilling');
    await rig.carrier(id, 'delivered');
    expect(await rig.result(orderWorkflowId(id))).toEqual({ status: 'completed' });
  });
});
