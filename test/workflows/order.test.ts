import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { orderWorkflowId } from '../../src/contracts/ids.ts';
import { createRig, DAY, type Rig } from '../support/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await createRig();
});
afterAll(() => rig.close());
afterEach(async ({ task }) => {
  rig.payments.faults.clear();
  rig.warehouse.faults.clear();
  rig.inbox.faults.clear();
  await rig.replayHistories(task.name);
});

describe('an order that goes well', () => {
  it('is reserved, charged, sent, invoiced, shipped and delivered', async () => {
    const id = await rig.placeOrder();
    await rig.orderStatus(id, 'fulfilling');
    await rig.carrier(id, 'shipped');
    await rig.orderStatus(id, 'shipped');
    await rig.carrier(id, 'delivered');
    expect(await rig.result(orderWorkflowId(id))).toEqual({ status: 'completed' });

    expect((await rig.order(id)).status).toBe('completed');
    expect(await rig.saga(id)).toEqual(['reserve: done', 'charge: done', 'ship: done', 'invoice: done']);
    expect(await rig.money(id)).toEqual({ ours: 1780, theirs: 1780 });
    expect(rig.emails('ada@example.com')).toEqual([
      expect.stringMatching(/confirmed/),
      expect.stringMatching(/on its way/),
    ]);
  });

  it('counts as delivered 14 days after shipping when the carrier says nothing', async () => {
    const id = await rig.placeOrder();
    await rig.orderStatus(id, 'fulfilling');
    await rig.carrier(id, 'shipped');
    await rig.result(orderWorkflowId(id));
    expect((await rig.order(id)).status).toBe('completed');
    expect((await rig.timers(orderWorkflowId(id))).at(-1)).toBeGreaterThanOrEqual(14 * DAY);
  });
});

describe('an order that is refused', () => {
  it('fails when an item is out of stock, with nothing charged', async () => {
    const id = await rig.placeOrder({ items: [{ sku: 'TEA-GYOKURO-RARE', quantity: 1 }] });
    await expect(rig.result(orderWorkflowId(id))).rejects.toMatchObject({ cause: { type: 'out_of_stock' } });
    expect(await rig.order(id)).toMatchObject({ status: 'failed', failureType: 'out_of_stock' });
    expect(await rig.saga(id)).toEqual(['reserve: refused', 'undo reserve: done']);
  });

  it('fails when the card is declined, and puts the stock back', async () => {
    const id = await rig.placeOrder({ payment: { method: 'pm_card_visa_chargeDeclined' } });
    await expect(rig.result(orderWorkflowId(id))).rejects.toMatchObject({ cause: { type: 'card_declined' } });
    expect(await rig.order(id)).toMatchObject({ status: 'failed', failureType: 'card_declined' });
    expect(await rig.saga(id)).toEqual(['reserve: undone', 'charge: refused', 'undo charge: done', 'undo reserve: done']);
    expect(await rig.money(id)).toEqual({ ours: 0, theirs: 0 });
  });
});

describe('an order whose warehouse is down', () => {
  it('parks when the retries are spent, and goes on from there when it is retried', async () => {
    rig.warehouse.faults.set({ mode: 'down' });
    const id = await rig.placeOrder();
    await rig.orderStatus(id, 'charged');
    await rig.skip(60_000);
    await rig.orderStatus(id, 'needs_attention');
    expect(await rig.failures(id)).toMatchObject([
      { kind: 'step', step: 'ship', status: 'open', attempts: 4, errorType: 'warehouse_unavailable' },
    ]);
  });
});
