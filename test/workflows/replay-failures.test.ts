import { describe, expect, it } from 'vitest';
import { replayRequestSchema } from '../../src/contracts/failures.ts';
import { requestReplay } from '../../src/intake/failure-actions.ts';
import { changeReplay, createReplay, planReplay, readProgress } from '../../src/intake/replays.ts';
import { orderWorkflowId } from '../../src/contracts/ids.ts';
import { useRig } from '../support/rig.ts';

const rig = await useRig();
const instruction = { actor: 'key:operator', reason: 'the warehouse is back' };

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

/** Lets a bulk replay work for some seconds. Its run is not waited for: that would skip to the orders' own deadlines. */
async function work(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    await rig.skip(1_000);
    await rig.deliver();
  }
}

describe('a bulk replay', () => {
  it('says what it would do, and then does it to each item once', async () => {
    const ids = await parkedOrders(5);
    const request = replayRequestSchema.parse({
      action: 'retry',
      filter: { step: 'ship' },
      reason: instruction.reason,
      ratePerSecond: 2,
    });
    expect(await planReplay(rig.db, request)).toMatchObject({
      matching: 5,
      accepted: 5,
      refused: [],
      sums: [{ currency: 'EUR', amount: 5 * 1780 }],
    });

    const replayId = await createReplay(rig.db, request, instruction);
    await rig.deliver();
    await work(5);
    for (const id of ids) await rig.orderStatus(id, 'fulfilling');
    expect(await readProgress(rig.db, replayId)).toEqual({
      total: 5,
      pending: 0,
      requested: 5,
      refused: 0,
      succeeded: 5,
      failedAgain: 0,
    });
    for (const id of ids) {
      expect(await rig.failureEvents(id)).toEqual([
        'opened by holdfast',
        'retry_requested by key:operator',
        'resolved by holdfast',
      ]);
    }
  });

  it('waits while it is paused, goes on when it is resumed, and touches nothing once it is cancelled', async () => {
    const ids = await parkedOrders(3);
    const request = replayRequestSchema.parse({ action: 'cancel', filter: {}, reason: 'given up', ratePerSecond: 1 });
    const replayId = await createReplay(rig.db, request, instruction);
    await changeReplay(rig.db, replayId, 'paused', instruction);
    await rig.deliver();
    await work(5);
    expect(await readProgress(rig.db, replayId)).toMatchObject({ pending: 3, requested: 0 });

    await changeReplay(rig.db, replayId, 'running', instruction);
    await rig.deliver();
    await work(5);
    for (const id of ids) await rig.orderStatus(id, 'cancelled');
    await expect(changeReplay(rig.db, replayId, 'cancelled', instruction)).rejects.toMatchObject({
      type: 'replay_not_running',
    });
  });

  it('refuses what has been mended meanwhile, and does the rest', async () => {
    const [first, second] = await parkedOrders(2);
    const request = replayRequestSchema.parse({ action: 'retry', filter: {}, reason: 'again', ratePerSecond: 5 });
    const replayId = await createReplay(rig.db, request, instruction);
    await rig.retry(first ?? '');
    await work(3);
    for (const id of [first, second]) await rig.orderStatus(id ?? '', 'fulfilling');
    expect(await readProgress(rig.db, replayId)).toMatchObject({ total: 2, requested: 1, refused: 1 });
  });
});

describe('an order that has failed', () => {
  it('is replayed as its next generation, under keys of its own, and refused while it has not failed', async () => {
    const id = await rig.placeOrder({ payment: { method: 'pm_card_visa_chargeDeclined' } });
    expect(await rig.endedBadly(id)).toBe('card_declined');
    const { generation } = await requestReplay(rig.db, id, instruction);
    expect(generation).toBe(2);
    await expect(requestReplay(rig.db, id, instruction)).rejects.toMatchObject({ type: 'order_not_failed' });
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
