import { and, eq, inArray, lt, sql, type SQL } from 'drizzle-orm';
import { beforeEach, describe, expect, it } from 'vitest';
import { bulkActionRequestSchema } from '../../src/contracts/bulk-actions.ts';
import type { QueueName } from '../../src/contracts/names.ts';
import { bulkActionItems, bulkActions, commands, failures, orders, workers } from '../../src/db/schema.ts';
import { transaction } from '../../src/db/transaction.ts';
import { runBulkActionBatch, startBulkAction } from '../../src/operate/bulk-actions.ts';
import { openFailure } from '../../src/records/failures.ts';
import { openFailureOf } from '../support/failures.ts';
import { useShop } from '../support/shop.ts';

const { db, ...shop } = await useShop();
const RATE = 20;

/** @returns a bulk retry of so many parked orders, and their failures */
async function retryParked(count: number): Promise<{ id: string; ids: string[] }> {
  const ids: string[] = [];
  while (ids.length < count) {
    const ref = await shop.placeOrder();
    await db.update(orders).set({ status: 'needs_attention' }).where(eq(orders.id, ref.orderId));
    ids.push((await openFailureOf(db, ref, { resumeStatus: 'charged' })).failureId);
  }
  return { id: await startBulkAction(db, bulkActionRequestSchema.parse({ action: 'retry', ids, reason: 'is it back?' }), 'key:1'), ids };
}

const work = (id: string, rate = RATE) => runBulkActionBatch(db, id, rate, () => {});
const isOf = (id: string) => eq(bulkActionItems.bulkActionId, id);
const countActed = (id: string) => db.$count(bulkActionItems, and(isOf(id), sql`${bulkActionItems.actedAt} is not null`));

/** Writes the results of the items before a position that have none. */
const settle = (id: string, before: number, state: 'succeeded' | 'failed_again' | 'cancelled', message?: string) =>
  db
    .update(bulkActionItems)
    .set({ state, message, settledAt: sql`now()` })
    .where(and(isOf(id), lt(bulkActionItems.position, before), eq(bulkActionItems.state, 'requested')));

const TWO_MINUTES = sql`interval '121 seconds'`;

/** Lets two minutes pass since its items were acted on. */
async function wait(id: string): Promise<void> {
  await db.update(commands).set({ createdAt: sql`created_at - ${TWO_MINUTES}`, deliveredAt: sql`delivered_at - ${TWO_MINUTES}` });
  await db.update(bulkActionItems).set({ actedAt: sql`acted_at - ${TWO_MINUTES}` }).where(isOf(id));
}

/** Temporal has got what was asked for. */
const deliver = () => db.update(commands).set({ state: 'delivered', deliveredAt: sql`now()` });

/** A worker is there, and has been for two minutes unless it has just started. */
const startWorker = ({ queues = ['orders', 'email'], startedAt = sql`now() - ${TWO_MINUTES}` }: { queues?: QueueName[]; startedAt?: SQL } = {}) =>
  db.insert(workers).values({ identity: crypto.randomUUID(), host: 'host', version: '1', queues, startedAt });

beforeEach(async () => {
  for (const table of [commands, workers]) await db.delete(table);
});

it('acts on five items, and on the others once one of these has succeeded', async () => {
  const { id } = await retryParked(8);
  expect([await work(id), await work(id), await countActed(id)]).toEqual(['running', 'running', 5]);
  await settle(id, 4, 'failed_again');
  expect([await work(id), await countActed(id)]).toEqual(['running', 5]);
  await settle(id, 5, 'succeeded');
  expect([await work(id), await countActed(id)]).toEqual(['ended', 8]);
});

it('tries another item in the place of one whose order was cancelled', async () => {
  const { id } = await retryParked(8);
  await work(id);
  await settle(id, 1, 'cancelled');
  await settle(id, 5, 'failed_again');
  expect([await work(id), await countActed(id)]).toEqual(['running', 6]);
  await settle(id, 6, 'failed_again', 'still down');
  expect([await work(id), await countActed(id)]).toEqual(['paused', 6]);
  const [paused] = await db.select().from(bulkActions).where(eq(bulkActions.id, id));
  expect(paused?.pauseReason).toBe('The first 5 items failed again: still down');
});

it('does not wait for a result that takes long: it pauses if the others have failed again, and goes on if none is known', async () => {
  await startWorker();
  const [failing, unknown] = [await retryParked(8), await retryParked(8)];
  for (const { id } of [failing, unknown]) await work(id);
  await deliver();
  await settle(failing.id, 4, 'failed_again');
  for (const { id } of [failing, unknown]) await wait(id);
  expect([await work(failing.id), await countActed(failing.id)]).toEqual(['paused', 5]);
  expect([await work(unknown.id), await countActed(unknown.id)]).toEqual(['ended', 8]);
});

describe('a bulk action that hears nothing of its first items', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['no worker is there', () => Promise.resolve()],
    ['all workers had died, and are just back', () => startWorker({ startedAt: sql`now()` })],
    ['a worker is there, of another queue', () => startWorker({ queues: ['email', 'operations'] })],
  ])('acts on no others while %s', async (_why, start) => {
    await start();
    const { id } = await retryParked(8);
    await work(id);
    await deliver();
    await wait(id);
    expect([await work(id), await countActed(id)]).toEqual(['running', 5]);
    await startWorker();
    expect([await work(id), await countActed(id)]).toEqual(['ended', 8]);
  });

  it('acts on no others while Temporal is away, or is just back', async () => {
    await startWorker();
    const { id } = await retryParked(8);
    await work(id);
    await wait(id);
    expect([await work(id), await countActed(id)]).toEqual(['running', 5]);
    await deliver();
    expect([await work(id), await countActed(id)]).toEqual(['running', 5]);
    await wait(id);
    expect([await work(id), await countActed(id)]).toEqual(['ended', 8]);
  });

  it('does not wait for a run that is broken: only an operator can bring that back', async () => {
    await startWorker();
    const { id } = await retryParked(8);
    await work(id);
    await wait(id);
    await db.update(commands).set({ attempts: 3, lastError: 'no answer in time' });
    expect([await work(id), await countActed(id)]).toEqual(['running', 5]);
    for (const { workflowId } of await db.select().from(commands)) {
      const broken = { kind: 'run', step: 'run', workflowId, errorType: 'TypeError', errorMessage: 'a bug', attempts: 1 } as const;
      await transaction(db, (tx) => openFailure(tx, broken));
    }
    expect([await work(id), await countActed(id)]).toEqual(['ended', 8]);
  });
});

it('skips what was dealt with meanwhile at its full rate', async () => {
  const { id, ids } = await retryParked(12);
  await db.update(failures).set({ status: 'resolved', closedAt: sql`now()` }).where(inArray(failures.id, ids));
  expect(await work(id)).toBe('ended');
});

it('counts to five at a lower rate, too', async () => {
  const { id } = await retryParked(7);
  for (let second = 0; second < 7; second += 1) expect(await work(id, 1)).toBe('running');
  expect(await countActed(id)).toBe(5);
  await settle(id, 5, 'failed_again');
  expect(await work(id, 1)).toBe('paused');
});
