import { describe, expect, it } from 'vitest';
import { orderWorkflowId } from '../../../src/contracts/ids.ts';
import { approveOrder } from '../../../src/operate/orders.ts';
import { about, HOUR, useRig } from '../../support/rig.ts';

const rig = await useRig();

/** Above the threshold of 50,000. */
const DEAR = { items: [{ sku: 'SAMOVAR-BRASS', quantity: 1 }] };

describe('an order above the threshold', () => {
  it('is charged after a person approves it', async () => {
    const id = await rig.placeOrder(DEAR);
    await rig.orderStatus(id, 'awaiting_approval');
    expect(rig.timesDone(id).charged).toBe(0);
    await rig.decide(id, 'approve');
    await rig.orderStatus(id, 'fulfilling');
    await rig.carrier(id, 'delivered');
    await rig.result(orderWorkflowId(id));
    expect(await rig.statuses(id)).toEqual([
      'accepted',
      'reserved',
      'awaiting_approval',
      'reserved',
      'charged',
      'fulfilling',
      'shipped',
      'completed',
    ]);
    expect(await rig.saga(id)).toContain('approval: done');
    expect(await rig.sent(id)).toEqual(['approval_requested', 'order_confirmed', 'order_delivered', 'order_shipped']);
    rig.keepAs('order-approved', orderWorkflowId(id));
  });

  it('fails if a person rejects it, with nothing charged', async () => {
    const id = await rig.placeOrder(DEAR);
    await rig.orderStatus(id, 'awaiting_approval');
    await rig.decide(id, 'reject', 'looks like fraud');
    expect(await rig.endedBadly(id)).toBe('order_rejected');
    expect(await rig.order(id)).toMatchObject({ status: 'failed', failureMessage: 'looks like fraud' });
    expect(await rig.saga(id)).toEqual(['reserve: undone', 'approval: refused', 'undo reserve: done']);
    expect(rig.timesDone(id)).toEqual({ charged: 0, shipped: 0 });
    rig.keepAs('order-rejected-by-approver', orderWorkflowId(id));
  });

  it('sends a reminder after 24 h, and is rejected after 48 h without an answer', async () => {
    const id = await rig.placeOrder(DEAR);
    expect(await rig.endedBadly(id)).toBe('order_rejected');
    expect(await rig.timers(orderWorkflowId(id))).toEqual([about(24 * HOUR), about(24 * HOUR)]);
    expect(await rig.order(id)).toMatchObject({ status: 'failed', approvalDecision: 'reject' });
    expect(await rig.sent(id)).toEqual(['approval_reminder', 'approval_requested', 'order_failed']);
    await expect(rig.decide(id, 'approve')).rejects.toMatchObject({ type: 'approval_not_awaited' });
    rig.keepAs('order-approval-deadline', orderWorkflowId(id));
  });

  it('can still be approved after the reminder', async () => {
    const id = await rig.placeOrder(DEAR);
    await rig.orderStatus(id, 'awaiting_approval');
    await rig.skip(30 * HOUR);
    await rig.decide(id, 'approve');
    await rig.orderStatus(id, 'fulfilling');
    expect(await rig.timers(orderWorkflowId(id))).toEqual([about(24 * HOUR)]);
    await rig.cancel(id);
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
    expect(await rig.sent(id)).toEqual(['approval_reminder', 'approval_requested', 'order_cancelled', 'order_confirmed']);
  });

  it('is approved if the decision was made in time but delivered late', async () => {
    const id = await rig.placeOrder(DEAR);
    await rig.orderStatus(id, 'awaiting_approval');
    await approveOrder.perform(rig, id, { reason: 'just in time' }, 'key:operator');
    await rig.skip(49 * HOUR);
    await rig.deliver();
    await rig.orderStatus(id, 'fulfilling');
    await rig.carrier(id, 'delivered');
    expect(await rig.result(orderWorkflowId(id))).toEqual({ status: 'completed' });
    rig.keepAs('order-approval-told-late', orderWorkflowId(id));
  });

  it('can be cancelled while it is waiting', async () => {
    const id = await rig.placeOrder(DEAR);
    await rig.orderStatus(id, 'awaiting_approval');
    await rig.cancel(id);
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
    expect(await rig.saga(id)).toEqual(['reserve: undone', 'approval: refused', 'undo reserve: done']);
    expect((await rig.order(id)).status).toBe('cancelled');
    rig.keepAs('order-cancelled-awaiting-approval', orderWorkflowId(id));
  });
});

describe('an order at the threshold or below', () => {
  it('needs no approval', async () => {
    const id = await rig.placeOrder({
      items: [
        { sku: 'POT-CAST-IRON', quantity: 5 },
        { sku: 'CUP-PORCELAIN', quantity: 2 },
        { sku: 'TEA-EARL-GREY', quantity: 1 },
      ],
    });
    await rig.orderStatus(id, 'fulfilling');
    expect(await rig.statuses(id)).not.toContain('awaiting_approval');
    await rig.carrier(id, 'delivered');
    await rig.result(orderWorkflowId(id));
  });
});
