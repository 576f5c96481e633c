import { describe, expect, it } from 'vitest';
import { orderWorkflowId } from '../../../src/contracts/ids.ts';
import { ALL_UNDONE, useRig } from '../../support/rig.ts';

const rig = await useRig();

describe('a compensation that fails', () => {
  it('shows at once while a refund fails, and is resolved by the tenth attempt', async () => {
    const id = await rig.fulfillingOrder();
    rig.payments.faults.set({ mode: 'error_before', operation: 'POST /v1/refunds', count: 9 });
    await rig.cancel(id);
    await rig.failure(id, { kind: 'compensation', step: 'charge', status: 'open' });
    expect(await rig.order(id)).toMatchObject({ status: 'compensating' });
    expect(await rig.saga(id)).toContain('undo charge: retrying');

    expect(await rig.endedBadly(id)).toBe('order_cancelled');
    expect(await rig.failures(id)).toMatchObject([
      { kind: 'compensation', status: 'resolved', attempts: 9, errorType: 'payment_unavailable' },
    ]);
    expect(await rig.failureEvents(id)).toEqual(['opened by holdfast', 'resolved by holdfast']);
    expect(await rig.saga(id)).toEqual(ALL_UNDONE);
    expect(rig.payments.ledger().filter(({ type }) => type === 'refund.created')).toHaveLength(1);
    rig.keepAs('order-refund-failing', orderWorkflowId(id));
  });

  it('is retried while the warehouse fails nine times, and the other compensations follow', async () => {
    const id = await rig.fulfillingOrder();
    rig.warehouse.faults.set({
      mode: 'error_before',
      operation: 'POST /v1/shipments/:reference/cancellation',
      count: 9,
    });
    await rig.carrier(id, 'rejected');
    await rig.failure(id, { kind: 'compensation', step: 'ship', status: 'open' });
    // Last step first: the earlier steps wait for it.
    expect(await rig.saga(id)).toEqual([
      'reserve: done',
      'charge: done',
      'ship: done',
      'invoice: undone',
      'undo invoice: done',
      'undo ship: retrying',
    ]);

    expect(await rig.endedBadly(id)).toBe('shipment_rejected');
    expect(await rig.failures(id)).toMatchObject([{ kind: 'compensation', step: 'ship', status: 'resolved', attempts: 9 }]);
    expect(await rig.saga(id)).toEqual(ALL_UNDONE);
    rig.keepAs('order-warehouse-failing', orderWorkflowId(id));
  });

  it('is retried for as long as the provider is down', async () => {
    const id = await rig.fulfillingOrder();
    rig.payments.faults.set({ mode: 'error_before' });
    await rig.cancel(id);
    await rig.failure(id, { kind: 'compensation', step: 'charge', status: 'open' });
    await rig.skip(2 * 3_600_000);
    expect(await rig.order(id)).toMatchObject({ status: 'compensating' });
    rig.heal();
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
    expect(await rig.saga(id)).toEqual(ALL_UNDONE);
  });
});
