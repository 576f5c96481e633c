import { describe, expect, it } from 'vitest';
import { useRig } from '../../support/rig.ts';

// Longer than the activity may take, so that only the cancellation can end it in time.
const rig = await useRig({ gatewayTimeout: 60_000 });

/** Cancels an order during a retry of its charge. @returns the type of its error, and the money that was kept */
async function cancelDuringCharge(operation: string, delayMs: number) {
  // A first try hears of no cancellation, but it is short.
  rig.payments.faults.set({ mode: 'error_before', operation, count: 1 });
  const id = await rig.placeOrder();
  await rig.step(id, 'charge: retrying');
  rig.payments.faults.set({ mode: 'slow', delayMs, operation });
  await rig.skip(2_000);
  await rig.step(id, 'charge: running');
  await rig.cancel(id);
  await rig.orderStatus(id, 'compensating');
  rig.heal();
  return { error: await rig.endedBadly(id), money: await rig.money(id) };
}

const NOTHING_CHARGED = { error: 'order_cancelled', money: { ours: 0, theirs: 0 } };

describe('a cancellation during a charge', () => {
  it('is heard while no answer comes', async () => {
    expect(await cancelDuringCharge('POST /v1/payment_intents', 60_000)).toEqual(NOTHING_CHARGED);
  });

  it('leaves nothing charged, whatever comes of the charge that it no longer waits for', async () => {
    expect(await cancelDuringCharge('POST /v1/payment_intents/:id/confirm', 6_000)).toEqual(NOTHING_CHARGED);
  });
});
