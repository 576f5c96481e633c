import { eq } from 'drizzle-orm';
import { beforeEach, describe, expect, it } from 'vitest';
import { orderWorkflowId, type OrderRef } from '../../src/contracts/ids.ts';
import { commands, failureEvents, failures } from '../../src/db/schema.ts';
import { transaction } from '../../src/db/transaction.ts';
import { retryFailure } from '../../src/operate/failures.ts';
import { closeFailures, reopenAnswered } from '../../src/records/failures.ts';
import { openFailureOf, type failureOf } from '../support/failures.ts';
import { useShop } from '../support/shop.ts';

const shop = await useShop();
const { db } = shop;
beforeEach(async () => {
  for (const table of [failureEvents, failures, commands]) await db.delete(table);
});

const open = (...failure: Parameters<typeof failureOf>) => openFailureOf(db, ...failure);
const resolve = (ref: OrderRef, which: Parameters<typeof closeFailures>[2]) =>
  transaction(db, (tx) => closeFailures(tx, ref, which, 'resolved', 'done'));
const eventsOf = async (failureId: string) => {
  const rows = await db
    .select()
    .from(failureEvents)
    .where(eq(failureEvents.failureId, failureId))
    .orderBy(failureEvents.id);
  return rows.map(({ type }) => type);
};

describe('a failure', () => {
  it('is opened once if it is reported twice', async () => {
    const ref = await shop.placeOrder();
    const first = await open(ref);
    expect(await open(ref, { attempts: 5 })).toEqual(first);
    expect(await db.select().from(failures)).toMatchObject([{ status: 'open', occurrence: 1, attempts: 5 }]);
    expect(await eventsOf(first.failureId)).toEqual(['opened']);
  });

  it('is opened once if it is reported several times at once', async () => {
    const ref = await shop.placeOrder();
    await Promise.allSettled(Array.from({ length: 5 }, () => open(ref)));
    // The database rejects the reports that come second. They are repeated.
    await open(ref);
    expect(await db.$count(failures)).toBe(1);
  });

  it('is reopened if the step fails again after a retry', async () => {
    const ref = await shop.placeOrder();
    const { failureId } = await open(ref);
    await db.update(failures).set({ status: 'retrying' });
    expect(await open(ref, { attempts: 8, errorMessage: 'still down' })).toEqual({ failureId, occurrence: 2 });
    expect(await db.select().from(failures)).toMatchObject([
      { status: 'open', occurrence: 2, attempts: 8, errorMessage: 'still down' },
    ]);
    expect(await eventsOf(failureId)).toEqual(['opened', 'reopened']);
  });

  it('is a new one if the step fails again after the last one was resolved', async () => {
    const ref = await shop.placeOrder();
    const { failureId } = await open(ref);
    await resolve(ref, { kind: 'step', step: 'ship' });
    expect(await eventsOf(failureId)).toEqual(['opened', 'resolved']);
    expect((await open(ref)).failureId).not.toBe(failureId);
  });

  it('is closed by kind and step, and leaves the other failures of the order open', async () => {
    const ref = await shop.placeOrder();
    await open(ref);
    await open(ref, { kind: 'compensation' });
    await open(ref, { kind: 'email', step: 'order_confirmed' });
    await resolve(ref, { kind: 'step', step: 'ship' });
    const rows = await db.select().from(failures).orderBy(failures.id);
    expect(rows.map(({ kind, status }) => `${kind} ${status}`)).toEqual(['step resolved', 'compensation open', 'email open']);
    await transaction(db, (tx) => closeFailures(tx, ref, 'all', 'cancelled', 'ended'));
    expect(await db.$count(failures, eq(failures.status, 'open'))).toBe(0);
  });

  it('is reopened as the same occurrence if its retry cannot be delivered, and can be retried again', async () => {
    const ref = await shop.placeOrder();
    const { failureId, occurrence } = await open(ref);
    const retry = (reason: string) => retryFailure.perform(shop, failureId, { reason }, 'key:operator');
    const read = () => db.select().from(failures).where(eq(failures.id, failureId));
    const workflowId = orderWorkflowId(ref.orderId);

    await retry('it is back');
    await db.update(commands).set({ state: 'set_aside' }).where(eq(commands.workflowId, workflowId));
    await transaction(db, (tx) => reopenAnswered(tx, { workflowId }, 'the command was set aside'));
    // The parked run is still waiting for this occurrence.
    expect(await read()).toMatchObject([{ status: 'open', occurrence }]);
    await retry('again');
    expect(await read()).toMatchObject([{ status: 'retrying', occurrence }]);
  });
});
