import { describe, expect, it } from 'vitest';
import { createPaymentGateway } from '../../../src/gateways/stripe.ts';
import { settleFailure } from '../../../src/operate/failures.ts';
import { useRig } from '../../support/rig.ts';

const rig = await useRig();

describe('a compensation that keeps failing', () => {
  it('can be settled by hand, and the order continues without it', async () => {
    rig.payments.faults.set({ mode: 'error_before', operation: 'GET /v1/refunds' });
    const id = await rig.placeOrder({
      shippingAddress: { line1: 'Nowhere 1', city: 'Nowhere', postalCode: '00000', country: 'GB' },
    });
    await rig.failure(id, { kind: 'compensation', step: 'charge', status: 'open' });
    await refundByHand(id);
    const [failure] = await rig.failures(id);
    await settleFailure.perform(rig, failure?.id ?? '', { reason: 'refunded by hand' }, 'key:operator');
    await rig.deliver();

    expect(await rig.endedBadly(id)).toBe('invalid_address');
    expect(await rig.failures(id)).toMatchObject([{ kind: 'compensation', status: 'settled' }]);
    expect(await rig.failureEvents(id)).toEqual([
      'opened by holdfast',
      'settlement_requested by key:operator',
      'settled by key:operator',
    ]);
    expect(await rig.saga(id)).toContain('undo charge: done');
    expect(await rig.saga(id)).toContain('undo reserve: done');
  });
});

/** Refunds as a person would, in the provider's dashboard. */
async function refundByHand(orderId: string): Promise<void> {
  const paid = rig.payments.ledger().find((entry) => entry.type === 'payment_intent.succeeded');
  if (paid?.type !== 'payment_intent.succeeded') throw new Error('nothing was paid');
  const gateway = createPaymentGateway({ secretKey: 'sk_test_rig', apiBase: rig.payments.url });
  await gateway.refund(`by-hand:${orderId}`, paid.paymentIntent, paid.amount);
}
