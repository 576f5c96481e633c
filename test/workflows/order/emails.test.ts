import { describe, expect, it } from 'vitest';
import { orderWorkflowId } from '../../../src/contracts/ids.ts';
import { useRig } from '../../support/rig.ts';

const rig = await useRig();

describe('an email that cannot be sent', () => {
  it('opens a failure after three attempts, and the order still completes', async () => {
    rig.inbox.faults.set({ mode: 'down' });
    const id = await rig.fulfillingOrder();
    await rig.skip(120_000);
    await rig.failure(id, { kind: 'email', step: 'order_confirmed', status: 'open', attempts: 3 });
    rig.heal();
    await rig.carrier(id, 'delivered');
    expect(await rig.result(orderWorkflowId(id))).toEqual({ status: 'completed' });
    expect(await rig.sent(id)).toEqual(['order_delivered', 'order_shipped']);
    expect(await rig.failures(id)).toMatchObject([{ kind: 'email', errorType: 'email_unavailable', status: 'open' }]);
    rig.keepAs('order-email-failed', orderWorkflowId(id));
  });

  it('is sent by a later attempt once the mail server is back', async () => {
    rig.inbox.faults.set({ mode: 'error_before', count: 2 });
    const id = await rig.fulfillingOrder();
    await rig.carrier(id, 'delivered');
    expect(await rig.result(orderWorkflowId(id))).toEqual({ status: 'completed' });
    expect(await rig.sent(id)).toEqual(['order_confirmed', 'order_delivered', 'order_shipped']);
    expect(await rig.failures(id)).toEqual([]);
  });

  it('is not retried if the mail server rejects it for good', async () => {
    const id = await rig.placeOrder({ customer: { email: 'bounce@example.com', name: 'Ada Lovelace' } });
    await rig.orderStatus(id, 'fulfilling');
    await rig.failure(id, { kind: 'email', step: 'order_confirmed', errorType: 'invalid_request', attempts: 1 });
    await rig.carrier(id, 'delivered');
    expect(await rig.result(orderWorkflowId(id))).toEqual({ status: 'completed' });
    expect((await rig.failures(id)).map(({ step }) => step).toSorted()).toEqual(['order_confirmed', 'order_delivered', 'order_shipped']);
  });

  it('does not delay the compensation of an order', async () => {
    rig.inbox.faults.set({ mode: 'down' });
    const id = await rig.placeOrder({ payment: { method: 'pm_card_visa_chargeDeclined' } });
    await rig.orderStatus(id, 'failed');
    expect(await rig.endedBadly(id)).toBe('card_declined');
    await rig.failure(id, { kind: 'email', step: 'order_failed', status: 'open' });
  });
});
