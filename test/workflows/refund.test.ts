import { describe, expect, it } from 'vitest';
import { refundWorkflowId } from '../../src/contracts/ids.ts';
import { recordPaymentWebhook } from '../../src/intake/payment-webhooks.ts';
import { retryFailure } from '../../src/operate/failures.ts';
import { useRig } from '../support/rig.ts';
import { stripeEvent } from '../support/stripe-events.ts';

const rig = await useRig();

describe('a refund that fails days after its order was cancelled', () => {
  it('is a failure that alerts, and is refunded again when an operator asks for it', async () => {
    const id = await rig.fulfillingOrder();
    await rig.cancel(id);
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
    expect(await rig.money(id)).toEqual({ ours: 0, theirs: 0 });

    const refund = rig.payments.ledger().find((entry) => entry.type === 'refund.created');
    if (refund?.type !== 'refund.created') throw new Error('nothing was refunded');
    await recordPaymentWebhook(rig.db, stripeEvent('refund.failed', rig.payments.bank.settleRefund(refund.refund, 'failed')));
    expect(await rig.money(id)).toEqual({ ours: 1780, theirs: 1780 });
    await rig.deliver();
    const [failure] = await rig.failures(id);
    expect(failure).toMatchObject({ kind: 'refund', status: 'open' });
    expect(await rig.order(id)).toMatchObject({ status: 'cancelled' });

    const failureId = failure?.id ?? '';
    rig.payments.faults.set({ mode: 'down', operation: 'POST /v1/refunds', count: 4 });
    await retryFailure.perform(rig, failureId, { reason: 'the account is open again' }, 'key:operator');
    await rig.deliver();
    const workflowId = refundWorkflowId({ failureId, occurrence: 1 });
    await rig.result(workflowId);

    expect(await rig.money(id)).toEqual({ ours: 0, theirs: 0 });
    expect(await rig.failures(id)).toMatchObject([{ kind: 'refund', status: 'resolved' }]);
    expect(await rig.failureEvents(id)).toEqual(['opened by holdfast', 'retry_requested by key:operator', 'resolved by holdfast']);
    rig.keepAs('refund-again', workflowId);
  });
});
