import { describe, expect, it } from 'vitest';
import { orderWorkflowId } from '../../../src/contracts/ids.ts';
import { ALL_UNDONE, useRig } from '../../support/rig.ts';

const rig = await useRig();

const BRAZIL = { line1: 'Rua 1', city: 'Recife', country: 'BR' };

describe('an order that is refused', () => {
  it('fails if an item is out of stock, with nothing charged', async () => {
    const id = await rig.placeOrder({
      items: [
        { sku: 'TEA-EARL-GREY', quantity: 1 },
        { sku: 'TEA-GYOKURO-RARE', quantity: 1 },
      ],
    });
    expect(await rig.endedBadly(id)).toBe('out_of_stock');
    expect(await rig.order(id)).toMatchObject({ status: 'failed', failureType: 'out_of_stock' });
    expect(await rig.saga(id)).toEqual(['reserve: refused', 'undo reserve: done']);
    expect(rig.timesDone(id)).toEqual({ charged: 0, shipped: 0 });
    expect(await rig.sent(id)).toEqual(['order_failed']);
    expect(await rig.failures(id)).toEqual([]);
    rig.keepAs('order-out-of-stock', orderWorkflowId(id));
  });

  it('fails if the card is declined, and releases the stock', async () => {
    const id = await rig.placeOrder({ payment: { method: 'pm_card_visa_chargeDeclined' } });
    expect(await rig.endedBadly(id)).toBe('card_declined');
    expect(await rig.order(id)).toMatchObject({ status: 'failed', failureType: 'card_declined' });
    expect(await rig.saga(id)).toEqual([
      'reserve: undone',
      'charge: refused',
      'undo charge: done',
      'undo reserve: done',
    ]);
    expect(await rig.sent(id)).toEqual(['order_failed']);
    rig.keepAs('order-card-declined', orderWorkflowId(id));
  });

  it('fails if the warehouse cannot deliver to the address, and refunds the payment', async () => {
    const id = await rig.placeOrder({ shippingAddress: { ...BRAZIL, postalCode: '00000' } });
    expect(await rig.endedBadly(id)).toBe('invalid_address');
    expect(await rig.order(id)).toMatchObject({ status: 'failed', failureType: 'invalid_address' });
    expect(await rig.saga(id)).toEqual([
      'reserve: undone',
      'charge: undone',
      'ship: refused',
      'undo ship: done',
      'undo charge: done',
      'undo reserve: done',
    ]);
    expect(rig.timesDone(id)).toEqual({ charged: 1, shipped: 0 });
    rig.keepAs('order-invalid-address', orderWorkflowId(id));
  });

  it('fails if the warehouse rejects it after accepting it, and voids the invoice, too', async () => {
    const id = await rig.fulfillingOrder();
    await rig.carrier(id, 'rejected');
    expect(await rig.endedBadly(id)).toBe('shipment_rejected');
    expect(await rig.order(id)).toMatchObject({
      status: 'failed',
      failureType: 'shipment_rejected',
      failureMessage: 'damaged in store',
    });
    expect(await rig.saga(id)).toEqual(ALL_UNDONE);
    expect(await rig.sent(id)).toEqual(['order_confirmed', 'order_failed']);
    rig.keepAs('order-shipment-rejected', orderWorkflowId(id));
  });

  it('cannot be rejected once it has been shipped', async () => {
    const id = await rig.fulfillingOrder();
    await rig.carrier(id, 'shipped');
    await rig.orderStatus(id, 'shipped');
    await rig.carrier(id, 'rejected');
    await rig.carrier(id, 'delivered');
    await rig.orderStatus(id, 'completed');
    expect(await rig.statuses(id)).not.toContain('compensating');
  });
});
