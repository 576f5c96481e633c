import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { orderWorkflowId, type OrderRef } from '../../src/contracts/ids.ts';
import { alertGroups, commands, failureEvents, failures } from '../../src/db/schema.ts';
import { alertGroup, closeFailures, openFailure, type NewFailure } from '../../src/records/failures.ts';
import { createShop, type Shop } from '../support/shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await createShop();
});
afterAll(() => shop.close());
beforeEach(async () => {
  await shop.db.delete(failureEvents);
  await shop.db.delete(failures);
  await shop.db.delete(alertGroups);
  await shop.db.delete(commands);
});

const failureOf = (ref: OrderRef, changes: Partial<NewFailure> = {}): NewFailure => ({
  kind: 'step',
  workflowId: orderWorkflowId(ref.orderId),
  ...ref,
  step: 'ship',
  errorType: 'warehouse_unavailable',
  errorMessage: 'down',
  attempts: 4,
  ...changes,
});

const open = (failure: NewFailure) => shop.db.transaction((tx) => openFailure(tx, failure));
const eventsOf = async (failureId: string) =>
  (await shop.db.select().from(failureEvents).where(eq(failureEvents.failureId, failureId)).orderBy(failureEvents.id)).map(
    ({ type }) => type,
  );
const alerts = () => shop.db.$count(commands, eq(commands.workflowId, `alert/${GROUP}`));
const GROUP = alertGroup({ kind: 'step', step: 'ship', errorType: 'warehouse_unavailable' });

describe('a failure', () => {
  it('that is told twice is one', async () => {
    const ref = await shop.placeOrder();
    const first = await open(failureOf(ref));
    expect(await open(failureOf(ref, { attempts: 5 }))).toEqual(first);
    expect(await shop.db.select().from(failures)).toMatchObject([{ status: 'open', occurrence: 1, attempts: 5 }]);
    expect(await eventsOf(first.failureId)).toEqual(['opened']);
  });

  it('that is told several times at the same moment is one', async () => {
    const ref = await shop.placeOrder();
    await Promise.allSettled(Array.from({ length: 5 }, () => open(failureOf(ref))));
    // Whoever came second is refused by the database, and tells it again.
    await open(failureOf(ref));
    expect(await shop.db.$count(failures)).toBe(1);
  });

  it('that comes back after a retry is the same one, opened again', async () => {
    const ref = await shop.placeOrder();
    const { failureId } = await open(failureOf(ref));
    await shop.db.update(failures).set({ status: 'retrying' });
    expect(await open(failureOf(ref, { attempts: 8, errorMessage: 'still down' }))).toEqual({ failureId, occurrence: 2 });
    expect(await shop.db.select().from(failures)).toMatchObject([
      { status: 'open', occurrence: 2, attempts: 8, errorMessage: 'still down' },
    ]);
    expect(await eventsOf(failureId)).toEqual(['opened', 'reopened']);
  });

  it('that comes back after it was resolved is another one', async () => {
    const ref = await shop.placeOrder();
    const { failureId } = await open(failureOf(ref));
    await shop.db.transaction((tx) => closeFailures(tx, ref, { kind: 'step', step: 'ship' }, 'resolved', 'done'));
    expect(await eventsOf(failureId)).toEqual(['opened', 'resolved']);
    expect((await open(failureOf(ref))).failureId).not.toBe(failureId);
  });

  it('is closed by name, and leaves the others of the order open', async () => {
    const ref = await shop.placeOrder();
    await open(failureOf(ref));
    await open(failureOf(ref, { kind: 'compensation' }));
    await open(failureOf(ref, { kind: 'email', step: 'order_confirmed' }));
    await shop.db.transaction((tx) => closeFailures(tx, ref, { kind: 'step', step: 'ship' }, 'resolved', 'done'));
    const rows = await shop.db.select().from(failures).orderBy(failures.id);
    expect(rows.map(({ kind, status }) => `${kind} ${status}`)).toEqual(['step resolved', 'compensation open', 'email open']);
    await shop.db.transaction((tx) => closeFailures(tx, ref, 'all', 'cancelled', 'ended'));
    expect(await shop.db.$count(failures, eq(failures.status, 'open'))).toBe(0);
  });
});

describe('an alert', () => {
  it('is one for many failures of the same kind at once', async () => {
    const refs = await Promise.all(Array.from({ length: 10 }, () => shop.placeOrder()));
    await Promise.all(refs.map((ref) => open(failureOf(ref))));
    expect(await shop.db.$count(failures)).toBe(refs.length);
    expect(await alerts()).toBe(1);
  });

  it('is another one once the group was closed', async () => {
    const ref = await shop.placeOrder();
    const { closeAlertGroup } = shop.activities();
    await open(failureOf(ref));
    expect(await closeAlertGroup(GROUP)).toEqual({ open: true });
    await shop.db.transaction((tx) => closeFailures(tx, ref, 'all', 'resolved', 'done'));
    expect(await closeAlertGroup(GROUP)).toEqual({ open: false });
    await open(failureOf(ref));
    expect(await alerts()).toBe(2);
  });

  it('misses no failure that is opened while its group is closed', async () => {
    const ref = await shop.placeOrder();
    const { closeAlertGroup } = shop.activities();
    await open(failureOf(ref));
    await shop.db.transaction((tx) => closeFailures(tx, ref, 'all', 'resolved', 'done'));
    const another = await shop.placeOrder();
    let closing: Promise<{ open: boolean }> | undefined;
    await shop.db.transaction(async (tx) => {
      await openFailure(tx, failureOf(another));
      closing = closeAlertGroup(GROUP);
    });
    const { open: watched = false } = (await closing) ?? {};
    expect(watched || (await alerts()) === 2).toBe(true);
  });
});
