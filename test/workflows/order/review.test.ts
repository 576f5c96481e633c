import { describe, expect, it } from 'vitest';
import { orderWorkflowId } from '../../../src/contracts/ids.ts';
import { restartOrder } from '../../../src/operate/orders.ts';
import { useRig } from '../../support/rig.ts';

const rig = await useRig({ environment: { REVIEW_AFTER_DECLINES: '2', EMAILS_PER_ADDRESS_AND_DAY: '2' } });

const DECLINED = { payment: { method: 'pm_card_visa_chargeDeclined' } };

async function declinedTwice(customer: { email: string; name: string }): Promise<void> {
  for (let declined = 0; declined < 2; declined += 1) {
    expect(await rig.endedBadly(await rig.placeOrder({ customer, ...DECLINED }))).toBe('card_declined');
  }
}

describe('an order of a customer with many declined cards', () => {
  it('waits for approval, and is charged after it', async () => {
    const customer = { email: 'mallory@example.com', name: 'Mallory' };
    await declinedTwice(customer);
    const id = await rig.placeOrder({ customer });
    await rig.orderStatus(id, 'awaiting_approval');
    expect(rig.timesDone(id).charged).toBe(0);
    await rig.decide(id, 'approve');
    await rig.orderStatus(id, 'fulfilling');
    await rig.carrier(id, 'delivered');
    expect(await rig.result(orderWorkflowId(id))).toEqual({ status: 'completed' });
    expect(rig.timesDone(id).charged).toBe(1);
    expect(rig.inbox.messages({ to: 'operations@holdfast.example' }).map(({ text }) => text).filter((text) => text.includes(id))).toEqual([
      expect.stringContaining('Review: 2 declined cards in 24 hours.'),
    ]);
    rig.keepAs('order-reviewed', orderWorkflowId(id));
  });

  it('fails if a person rejects it, with nothing charged, and its email is suppressed', async () => {
    const customer = { email: 'eve@example.com', name: 'Eve' };
    await declinedTwice(customer);
    const id = await rig.placeOrder({ customer: { ...customer, email: 'EVE@example.com' }, ...DECLINED });
    await rig.orderStatus(id, 'awaiting_approval');
    await rig.decide(id, 'reject');
    expect(await rig.endedBadly(id)).toBe('order_rejected');
    expect(rig.timesDone(id).charged).toBe(0);
    // Those about the two that were declined.
    expect(rig.emails('eve@example.com')).toHaveLength(2);
    expect(await rig.failures(id)).toEqual([]);
  });

  it('is reviewed when it is restarted, too', async () => {
    const customer = { email: 'restarted@example.com', name: 'Rae' };
    const shippingAddress = { line1: '1 Dorset Street', city: 'London', postalCode: '00000', country: 'GB' };
    const id = await rig.placeOrder({ customer, shippingAddress });
    expect(await rig.endedBadly(id)).toBe('invalid_address');
    await declinedTwice(customer);
    await restartOrder.perform(rig, id, { reason: 'asked by phone' }, 'key:operator');
    await rig.deliver();
    await rig.orderStatus(id, 'awaiting_approval');
    await rig.decide(id, 'reject');
    expect(await rig.endedBadly(id)).toBe('order_rejected');
  });
});

it('the orders of other customers are not held up', async () => {
  await declinedTwice({ email: 'oscar@example.com', name: 'Oscar' });
  const id = await rig.fulfillingOrder();
  expect(await rig.statuses(id)).not.toContain('awaiting_approval');
  await rig.carrier(id, 'delivered');
  await rig.result(orderWorkflowId(id));
});
