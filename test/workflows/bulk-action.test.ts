import { and, eq, inArray, sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { bulkActionRequestSchema } from '../../src/contracts/bulk-actions.ts';
import { bulkActionWorkflowId, orderWorkflowId } from '../../src/contracts/ids.ts';
import { bulkActionItems, commands, failures, operatorActions, workers } from '../../src/db/schema.ts';
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
      succeeded: 5,
      failedAgain: 0,
      cancelled: 0,
      skipped: 0,
      waiting: 0,
      pending: 0,
      requested: 5,
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
    expect(await progressOf(bulkActionId)).toMatchObject({ total: 2, requested: 1, skipped: 1, succeeded: 1 });
  });
});

/** @returns a bulk retry of everything that is open */
const retryAll = (ratePerSecond: number) =>
  startBulkAction(
    rig.db,
    bulkActionRequestSchema.parse({ action: 'retry', filter: { status: 'open' }, reason: 'is it back?', ratePerSecond }),
    OPERATOR,
  );

const bulkAction = async (id: string) => (await readBulkAction(rig.db, id))?.bulkAction;

const settled = async (id: string, counts: object) => {
  await expect.poll(() => progressOf(id), { timeout: 30_000 }).toMatchObject(counts);
};

describe('the results of a bulk action', () => {
  it('stay as they were when its items are retried again later, or cancelled', async () => {
    const ids = await parkedOrders(3);
    rig.warehouse.faults.set({ mode: 'error_before' });
    const first = await retryAll(10);
    await work(2);
    // Its run has ended long before the retries are used up.
    await rig.result(bulkActionWorkflowId(first));
    await settled(first, { failedAgain: 0, waiting: 3 });
    await rig.skip(60_000);
    await settled(first, { failedAgain: 3, waiting: 0 });

    rig.heal();
    const again = bulkActionRequestSchema.parse({ action: 'retry', failedAgainIn: first, reason: 'it is back' });
    expect(await planBulkAction(rig.db, again)).toMatchObject({ matching: 3, accepted: 3 });
    await rig.giveUp(ids[0] ?? '');
    await rig.orderStatus(ids[0] ?? '', 'cancelled');
    const second = await startBulkAction(rig.db, again, OPERATOR);
    await work(3);
    for (const id of ids.slice(1)) await rig.orderStatus(id, 'fulfilling');

    await settled(second, { total: 3, succeeded: 2, skipped: 1, failedAgain: 0, cancelled: 0, waiting: 0 });
    await settled(first, { total: 3, succeeded: 0, failedAgain: 3, skipped: 0, cancelled: 0, waiting: 0 });
  });

  it('count an order that was cancelled during its retry as cancelled, once', async () => {
    const [id = ''] = await parkedOrders(1);
    rig.warehouse.faults.set({ mode: 'error_before' });
    const bulkActionId = await retryAll(10);
    await work(2);
    await rig.orderStatus(id, 'charged');
    await rig.cancel(id);
    await rig.skip(60_000);
    rig.heal();
    await rig.skip(60_000);
    await rig.orderStatus(id, 'cancelled');
    await settled(bulkActionId, { waiting: 0 });
    expect(await progressOf(bulkActionId)).toMatchObject({ total: 1, succeeded: 0, failedAgain: 0, cancelled: 1, skipped: 0 });
  });

  it('of a restart are those of the generation that it has started', async () => {
    const id = await rig.placeOrder({ payment: { method: 'pm_card_visa_chargeDeclined' } });
    expect(await rig.endedBadly(id)).toBe('card_declined');
    const request = bulkActionRequestSchema.parse({ action: 'restart', ids: [id], reason: 'the card works now' });
    const bulkActionId = await startBulkAction(rig.db, request, OPERATOR);
    await work(2);
    await expect(rig.result(orderWorkflowId(id))).rejects.toMatchObject({ cause: { type: 'card_declined' } });
    await settled(bulkActionId, { total: 1, succeeded: 0, failedAgain: 1, waiting: 0 });
  });
});

describe('a bulk action whose first items all fail again', () => {
  it('pauses itself, says why, and continues once a person resumes it', async () => {
    const count = 12;
    await parkedOrders(count);
    rig.warehouse.faults.set({ mode: 'error_before' });
    const bulkActionId = await retryAll(20);
    // A retry is used up after a quarter of a minute.
    await work(4);
    expect(await bulkAction(bulkActionId)).toMatchObject({ state: 'running' });
    expect(await progressOf(bulkActionId)).toMatchObject({ requested: 5, pending: 7 });
    await work(20);
    expect(await bulkAction(bulkActionId)).toMatchObject({
      state: 'paused',
      pauseReason: 'The first 5 items failed again: The warehouse is unavailable (500).',
    });
    await work(2);
    expect(await progressOf(bulkActionId)).toMatchObject({ failedAgain: 5, pending: 7 });
    const audit = await rig.db.select().from(operatorActions).where(eq(operatorActions.target, bulkActionId));
    expect(audit.at(-1)).toMatchObject({ action: 'pause_bulk_action', actor: 'holdfast' });

    rig.heal();
    await resumeBulkAction.perform(rig, bulkActionId, given, OPERATOR);
    await rig.deliver();
    await work(4);
    // What failed before does not pause it again.
    await settled(bulkActionId, { total: count, failedAgain: 5, succeeded: 7, pending: 0 });
    // One more look finds that nothing is left.
    await work(2);
    expect(await bulkAction(bulkActionId)).toMatchObject({ state: 'completed', pauseReason: null });
  });

  it('continues without the results of its first items if these take long', async () => {
    const orderIds = await parkedOrders(6);
    const ids = (await rig.db.select({ id: failures.id }).from(failures).where(inArray(failures.orderId, orderIds))).map(({ id }) => id);
    rig.warehouse.faults.set({ mode: 'error_before' });
    const request = bulkActionRequestSchema.parse({ action: 'retry', ids, reason: 'is it back?' });
    const bulkActionId = await startBulkAction(rig.db, request, OPERATOR);
    await work(3);
    expect(await progressOf(bulkActionId)).toMatchObject({ requested: 5, pending: 1 });
    const earlier = sql`now() - interval '121 seconds'`;
    await rig.db.insert(workers).values({ identity: '1@host', host: 'host', version: '1', queues: ['orders'], startedAt: earlier });
    await rig.db.update(commands).set({ createdAt: earlier, deliveredAt: earlier }).where(inArray(commands.workflowId, orderIds.map(orderWorkflowId)));
    await rig.db
      .update(bulkActionItems)
      .set({ actedAt: earlier })
      .where(and(eq(bulkActionItems.bulkActionId, bulkActionId), eq(bulkActionItems.state, 'requested')));
    await work(2);
    expect(await progressOf(bulkActionId)).toMatchObject({ requested: 6, pending: 0 });
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
