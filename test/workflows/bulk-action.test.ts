import { describe, expect, it } from 'vitest';
import { bulkActionRequestSchema } from '../../src/contracts/bulk-actions.ts';
import { bulkActionWorkflowId, orderWorkflowId } from '../../src/contracts/ids.ts';
import { cancelBulkAction, pauseBulkAction, resumeBulkAction, startBulkAction } from '../../src/operate/bulk-actions.ts';
import { restartOrder } from '../../src/operate/orders.ts';
import { planBulkAction } from '../../src/queries/bulk-action-plan.ts';
import { readBulkAction } from '../../src/queries/bulk-actions.ts';
import { useRig } from '../support/rig.ts';

const rig = await useRig();
const OPERATOR = 'key:operator';
const given = { reason: 'the warehouse is back' };

const progressOf = async (id: string) => (await readBulkAction(rig.db, id))?.progress;

async function parkedOrders(count: number): Promise<string[]> {
  rig.warehouse.faults.set({ mode: 'error_before' });
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) ids.push(await rig.placeOrder());
  for (const id of ids) await rig.orderStatus(id, 'charged');
  await rig.skip(60_000);
  for (const id of ids) await rig.orderStatus(id, 'needs_attention');
  rig.heal();
  return ids;
}

/** Lets a bulk action work for some seconds. Waiting for its run would skip to the deadlines of the orders. */
async function work(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    await rig.skip(1_000);
    await rig.deliver();
  }
}

describe('a bulk action', () => {
  it('previews what it would do, then acts once on each item', async () => {
    const ids = await parkedOrders(5);
    const request = bulkActionRequestSchema.parse({
      action: 'retry',
      filter: { step: 'ship' },
      reason: given.reason,
      ratePerSecond: 2,
    });
    expect(await planBulkAction(rig.db, request)).toMatchObject({
      matching: 5,
      accepted: 5,
      refused: [],
      sums: [{ currency: 'EUR', amount: 5 * 1780 }],
    });

    const bulkActionId = await startBulkAction(rig.db, request, OPERATOR);
    rig.keepAs('bulk-action', bulkActionWorkflowId(bulkActionId));
    await rig.deliver();
    await work(5);
    for (const id of ids) await rig.orderStatus(id, 'fulfilling');
    expect(await progressOf(bulkActionId)).toEqual({
      total: 5,
      pending: 0,
      requested: 5,
      refused: 0,
      succeeded: 5,
      failedAgain: 0,
      underWay: 0,
    });
    for (const id of ids) {
      expect(await rig.failureEvents(id)).toEqual([
        'opened by holdfast',
        'retry_requested by key:operator',
        'resolved by holdfast',
      ]);
    }
  });

  it('waits while it is paused, continues once it is resumed, and cannot be cancelled after its end', async () => {
    const ids = await parkedOrders(3);
    const request = bulkActionRequestSchema.parse({ action: 'cancel', filter: {}, reason: 'given up', ratePerSecond: 1 });
    const bulkActionId = await startBulkAction(rig.db, request, OPERATOR);
    await pauseBulkAction.perform(rig, bulkActionId, given, OPERATOR);
    await rig.deliver();
    await work(5);
    expect(await progressOf(bulkActionId)).toMatchObject({ pending: 3, requested: 0 });

    await resumeBulkAction.perform(rig, bulkActionId, given, OPERATOR);
    await rig.deliver();
    await work(5);
    for (const id of ids) await rig.orderStatus(id, 'cancelled');
    await expect(cancelBulkAction.perform(rig, bulkActionId, given, OPERATOR)).rejects.toMatchObject({
      type: 'bulk_action_not_running',
    });
  });

  it('refuses items that were fixed meanwhile, and acts on the others', async () => {
    const [first, second] = await parkedOrders(2);
    const request = bulkActionRequestSchema.parse({ action: 'retry', filter: {}, reason: 'again', ratePerSecond: 5 });
    const bulkActionId = await startBulkAction(rig.db, request, OPERATOR);
    await rig.retry(first ?? '');
    await work(3);
    for (const id of [first, second]) await rig.orderStatus(id ?? '', 'fulfilling');
    expect(await progressOf(bulkActionId)).toMatchObject({ total: 2, requested: 1, refused: 1 });
  });
});

describe('an order that has failed', () => {
  it('is restarted as its next generation with new keys, and refused if it has not failed', async () => {
    const id = await rig.placeOrder({ payment: { method: 'pm_card_visa_chargeDeclined' } });
    expect(await rig.endedBadly(id)).toBe('card_declined');
    await restartOrder.perform(rig, id, given, OPERATOR);
    expect((await rig.order(id)).generation).toBe(2);
    await expect(restartOrder.perform(rig, id, given, OPERATOR)).rejects.toMatchObject({ type: 'order_not_failed' });
    await rig.deliver();
    await expect(rig.result(orderWorkflowId(id))).rejects.toMatchObject({ cause: { type: 'card_declined' } });
    expect(await rig.saga(id)).toEqual([
      'reserve: undone',
      'charge: refused',
      'undo charge: done',
      'undo reserve: done',
      'reserve: undone',
      'charge: refused',
      'undo charge: done',
      'undo reserve: done',
    ]);
  });
});
