import { describe, expect, it } from 'vitest';
import { orderWorkflowId } from '../../../src/contracts/ids.ts';
import { RETRY_PROFILES } from '../../../src/contracts/retry-profiles.ts';
import { useRig } from '../../support/rig.ts';

/** ms. Longer than a first try may take, shorter than a call. */
const LATE = 3_000;
/** ms. Longer than an order takes to come to its first email, shorter than a connection to the mail server may be silent. */
const OCCUPIED = 10_000;
const SHIPMENT = 'POST /v1/shipments';

const rig = await useRig();

/** @returns `activity: attempts` of each normal activity that the run of an order has scheduled */
async function handedOver(id: string): Promise<string[]> {
  const { events } = await rig.client.workflow.getHandle(orderWorkflowId(id)).fetchHistory();
  return (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: scheduled }) =>
    scheduled ? [`${scheduled.activityType?.name}: ${scheduled.retryPolicy?.maximumAttempts}`] : [],
  );
}

async function deliver(id: string): Promise<void> {
  await rig.orderStatus(id, 'fulfilling');
  await rig.carrier(id, 'delivered');
  expect(await rig.result(orderWorkflowId(id))).toEqual({ status: 'completed' });
  expect(rig.timesDone(id)).toEqual({ charged: 1, shipped: 1 });
  expect(await rig.failures(id)).toEqual([]);
}

describe('a first try', () => {
  it('that fails is continued as a normal activity with one attempt less', async () => {
    rig.warehouse.faults.set({ mode: 'drop_after_commit', operation: SHIPMENT, count: 1 });
    const id = await rig.placeOrder();
    await rig.skip(10_000);
    await deliver(id);
    expect(await handedOver(id)).toContain(`requestShipment: ${RETRY_PROFILES.warehouse.retry.maximumAttempts - 1}`);
    rig.keepAs('order-first-try-failed', orderWorkflowId(id));
  });

  it('that is refused ends the order without a second one', async () => {
    const id = await rig.placeOrder({ payment: { method: 'pm_card_visa_chargeDeclined' } });
    expect(await rig.endedBadly(id)).toBe('card_declined');
    expect(await handedOver(id)).not.toContainEqual(expect.stringMatching('chargePayment'));
  });

  it('that has no answer in time is continued, and has one effect if it succeeds after all', async () => {
    rig.warehouse.faults.set({ mode: 'slow', delayMs: LATE, operation: SHIPMENT, count: 1 });
    const id = await rig.placeOrder();
    await deliver(id);
    expect(await handedOver(id)).toContainEqual(expect.stringMatching('requestShipment'));
    rig.keepAs('order-first-try-late', orderWorkflowId(id));
  });

  it('of an email that the mail server takes late is not followed by a copy', async () => {
    const email = `${crypto.randomUUID()}@example.com`;
    rig.inbox.faults.set({ mode: 'slow', delayMs: LATE, count: 1 });
    const id = await rig.placeOrder({ customer: { email, name: 'Ada Lovelace' } });
    await rig.orderStatus(id, 'fulfilling');
    await rig.email(email, /confirmed/);
    await expect.poll(() => rig.sent(id)).toContain('order_confirmed');
    await rig.skip(60_000);
    await deliver(id);
    expect(rig.inbox.messages({ to: email }).map(({ copies }) => copies)).toEqual([1, 1, 1]);
    expect(await handedOver(id)).toContainEqual(expect.stringMatching('sendOrderEmail'));
  });

  it('of an email that would have to wait in line is not made, and the email is sent as a normal activity', async () => {
    rig.inbox.faults.set({ mode: 'slow', delayMs: OCCUPIED, count: 5 });
    const occupying = Array.from({ length: 5 }, (_, index) =>
      rig.gateways.mail.send({ key: `other ${index}`, to: 'other@example.com', subject: 'Hello', text: 'Hello', html: '<p>Hello</p>' }),
    );
    await expect.poll(() => rig.inbox.faults.current).toBeNull();
    const id = await rig.placeOrder();
    await rig.orderStatus(id, 'fulfilling');
    await Promise.all(occupying);
    await expect.poll(() => rig.sent(id)).toContain('order_confirmed');
    await deliver(id);
    expect(await handedOver(id)).toEqual([`sendOrderEmail: ${RETRY_PROFILES.email.retry.maximumAttempts}`]);
    rig.keepAs('order-email-busy', orderWorkflowId(id));
  });
});
