import { sql } from 'drizzle-orm';
import type { Hono } from 'hono';
import { beforeAll, expect, it } from 'vitest';
import type { PageEnv } from '../../../src/console/environment.ts';
import { openSession } from '../../../src/console/sign-in/sessions.ts';
import { actorOf } from '../../../src/contracts/caller.ts';
import { attemptEvents, invoices, sagaSteps, shipments } from '../../../src/db/schema.ts';
import { transaction } from '../../../src/db/transaction.ts';
import type { OrderRef } from '../../../src/contracts/ids.ts';
import { cancelOrder } from '../../../src/operate/orders.ts';
import { insertApiKey } from '../../../src/records/api-keys.ts';
import { closeFailure } from '../../../src/records/failures.ts';
import { openFailureOf } from '../../support/failures.ts';
import { runActivity, useShop } from '../../support/shop.ts';
import { createTestPages, ORIGIN } from '../support/pages.ts';

const shop = await useShop();
let app: Hono<PageEnv>;
let cookie: string;
beforeAll(async () => {
  app = createTestPages(shop);
  const { id, key } = await insertApiKey(shop.db, { name: 'an operator', role: 'operator' });
  cookie = `holdfast_session=${await openSession(shop.db, { keyId: id, role: 'operator' }, key)}`;
});

/** @returns the page of an order */
async function page({ orderId }: OrderRef): Promise<string> {
  return await (await app.request(`${ORIGIN}/ops/orders/${orderId}`, { headers: { Cookie: cookie } })).text();
}

/** @returns the text of one part of the page of an order */
async function read(ref: OrderRef, part: 'story' | 'time'): Promise<string> {
  return new RegExp(`<div id="${part}-now">(.*?)</section>`, 's').exec(await page(ref))?.[1] ?? '';
}

/** @returns what the timeline says of steps, in its order */
async function timeline(ref: OrderRef): Promise<string[]> {
  const moments = (await read(ref, 'story')).matchAll(/<strong>((?:Step|Compensation|Withdrawal) [^<]*)<\/strong>/g);
  return Array.from(moments, ([, what = '']) => what.replaceAll('&quot;', '"'));
}

const fails = (attempt: Promise<unknown>) => expect(attempt).rejects.toMatchObject({ type: 'warehouse_unavailable' });

/** An order that was charged before the warehouse was down. */
async function stuckOrder(): Promise<OrderRef> {
  const ref = await shop.placeOrder();
  const { reserveStock, chargePayment, requestShipment } = shop.activities();
  await runActivity(reserveStock, ref);
  await runActivity(chargePayment, ref);
  shop.warehouse.faults.set({ mode: 'error_before' });
  await fails(runActivity(requestShipment, ref));
  await fails(runActivity(requestShipment, ref));
  shop.heal();
  return ref;
}

it('shows each event of a step at its own time, and adds to it when the step is undone', async () => {
  const ref = await stuckOrder();
  const before = await timeline(ref);
  expect(before).toEqual([
    'Step "reserve": done',
    'Step "charge": attempt 1 started',
    'Step "charge": done',
    'Step "ship": attempt 1 started',
    'Step "ship": attempt 1 failed',
    'Step "ship": attempt 2 started',
    'Step "ship": attempt 2 failed',
  ]);
  await runActivity(shop.activities().releaseStock, ref);
  expect(await timeline(ref)).toEqual([...before, 'Compensation "reserve": undone']);
});

it('does not say of a step that was undone that it is still to finish', async () => {
  const ref = await stuckOrder();
  const finished = async () => Array.from((await page(ref)).matchAll(/data-label="Finished">(not yet|–|<time)/g), ([, cell]) => cell);
  expect(await finished()).toEqual(['<time', '<time', 'not yet']);
  await runActivity(shop.activities().cancelShipment, ref);
  expect(await finished()).toEqual(['<time', '<time', '–', '<time']);
});

it('shows first whose order it is, with a way to all their orders', async () => {
  const shown = await page(await shop.placeOrder());
  expect(shown).toContain('<dd>ada@example.com<div><a href="/ops/orders?email=ada%40example.com">All their orders</a></div></dd>');
  expect(shown.indexOf('Items and customer')).toBeLessThan(shown.indexOf('>Steps<'));
});

it('says which number is for tracking, and which is the invoice', async () => {
  const ref = await shop.placeOrder();
  await shop.db.insert(shipments).values({ ...ref, state: 'shipped', warehouseId: 'w1', carrier: 'Sandbox Parcel', trackingNumber: 'SBX1' });
  await shop.db.insert(invoices).values({ ...ref, number: 4711, amount: 1780, currency: 'EUR' });
  const shown = await page(ref);
  expect(shown).toContain('<dt>Tracking number</dt><dd><code>SBX1</code></dd>');
  expect(shown).toContain('<dt>Invoice</dt><dd>4711</dd>');
});

it('names who cancelled it, in the timeline and beside the cancellation', async () => {
  const ref = await shop.placeOrder();
  const { id } = await insertApiKey(shop.db, { name: 'Sam of support', role: 'support' });
  const actor = actorOf({ keyId: id });
  await cancelOrder.perform({ db: shop.db }, ref.orderId, { reason: 'the customer called' }, actor);
  const by = `by <span title="${actor}">Sam of support</span>`;
  expect(await read(ref, 'story')).toContain(by);
  expect(/<div id="standing">.*?<div id="actions">/s.exec(await page(ref))?.[0]).toContain(by);
});

it('says why an attempt failed, and how long it took, in one sentence', async () => {
  expect(await read(await stuckOrder(), 'story')).toMatch(/The warehouse is unavailable \(500\); after \d+ ms on /);
});

it('says how many attempts there were after those that are recorded, and what the latest error was', async () => {
  const ref = await shop.placeOrder();
  const latest = { errorType: 'payment_unavailable', errorMessage: 'still down' };
  await shop.db.insert(sagaSteps).values({ ...ref, step: 'charge', kind: 'compensation', state: 'retrying', attempts: 500, ...latest });
  await shop.db.execute(sql`
    insert into attempt_events (order_id, generation, step, kind, attempt, type, worker, duration_ms)
    select ${ref.orderId}, 1, 'charge', 'compensation', number, type, '1@a', 5
    from generate_series(1, 100) as number, unnest(array['started', 'failed']) with ordinality as kinds (type, place) order by number, place`);
  const time = await read(ref, 'time');
  expect(time).toContain('; 500 attempts');
  expect(time).toMatch(/Attempt 100 failed<\/strong>.*400 more attempts/s);
  expect((await timeline(ref)).slice(-2)).toEqual(['Compensation "charge": attempt 100 failed', 'Compensation "charge": 400 more attempts']);
  expect(await read(ref, 'story')).toContain('the latest: payment unavailable: still down');
});

it('shows when the warehouse was asked to stop the parcel, in the timeline and in where the time went', async () => {
  const ref = await stuckOrder();
  shop.warehouse.faults.set({ mode: 'error_before', count: 1 });
  await fails(runActivity(shop.activities().withdrawShipment, ref));
  await runActivity(shop.activities().withdrawShipment, ref);
  expect((await timeline(ref)).slice(-4)).toEqual([
    'Withdrawal of the parcel: attempt 1 started',
    'Withdrawal of the parcel: attempt 1 failed',
    'Withdrawal of the parcel: attempt 2 started',
    'Withdrawal of the parcel: attempt 2 answered',
  ]);
  expect(await read(ref, 'time')).toContain('aria-label="withdraw the parcel: ');
});

it('says how often the warehouse was asked, and that it still is, after the attempts that are recorded', async () => {
  const ref = await stuckOrder();
  await shop.db.execute(sql`
    insert into attempt_events (order_id, generation, step, kind, attempt, type, worker, duration_ms, created_at)
    select ${ref.orderId}, 1, 'ship', 'withdrawal', number, type, '1@a', 5, now() - interval '4 days'
    from generate_series(1, 100) as number, unnest(array['started', 'failed']) with ordinality as kinds (type, place) order by number, place`);
  const { failureId } = await openFailureOf(shop.db, ref, { kind: 'compensation', attempts: 400, errorMessage: 'still down' });
  expect(await timeline(ref)).toContain('Withdrawal of the parcel: 300 more attempts');
  expect(await read(ref, 'story')).toContain('the latest: warehouse unavailable: still down');
  expect(await read(ref, 'time')).toMatch(/aria-label="withdraw the parcel: [^"]*4 days retrying".*?; 400 attempts/s);
  // Another failure of the same kind follows when the order is undone, and is not about the withdrawal.
  await transaction(shop.db, (tx) => closeFailure(tx, failureId, 'resolved', 'answered'));
  await shop.db.insert(sagaSteps).values({ ...ref, step: 'ship', kind: 'compensation', state: 'retrying', attempts: 700 });
  await openFailureOf(shop.db, ref, { kind: 'compensation', attempts: 700 });
  expect((await timeline(ref)).filter((what) => what.includes('more attempt'))).toEqual(['Compensation "ship": 699 more attempts']);
});

it('does not take the latest error for that of attempts from before there was a record', async () => {
  const ref = await shop.placeOrder();
  const latest = { errorType: 'payment_unavailable', errorMessage: 'down since this morning' };
  const undo = { ...ref, step: 'charge', kind: 'compensation' } as const;
  await shop.db.insert(sagaSteps).values({ ...undo, state: 'retrying', attempts: 52, ...latest, startedAt: new Date('2026-01-01T10:00:00Z') });
  await shop.db.insert(attemptEvents).values([
    { ...undo, attempt: 52, type: 'started', worker: '1@a' },
    { ...undo, attempt: 52, type: 'failed', worker: '1@a', ...latest },
  ]);
  expect(await timeline(ref)).toContain('Compensation "charge": 50 more attempts');
  expect(await read(ref, 'story')).not.toContain('the latest');
});

it('shows a refund that the provider has not completed as under way', async () => {
  const ref = await shop.placeOrder({ payment: { method: 'pm_card_pendingRefund' } });
  await runActivity(shop.activities().chargePayment, ref);
  await expect(runActivity(shop.activities().refundPayment, ref)).rejects.toMatchObject({ type: 'refund_pending' });
  const what = 'Compensation &quot;charge&quot;: attempt 1: still under way';
  expect(await read(ref, 'story')).toMatch(new RegExp(`<li class="busy">(?:(?!</li>).)*<strong>${what}</strong>`, 's'));
  expect(await read(ref, 'time')).toContain('Attempt 1: still under way');
});

it('shows where the time went, with every attempt: its error, how long it took and its worker', async () => {
  const time = await read(await stuckOrder(), 'time');
  expect(time).toMatch(/<svg[^>]* role="img" aria-label="ship: \d+ ms working, [^"]* retrying"/);
  expect(time).toContain('Attempt 2 failed</strong> after ');
  expect(time).toContain('The warehouse is unavailable (500).');
  expect(time).toContain(`<code>${process.pid}@`);
  expect(time.match(/<details>/g)).toHaveLength(3);
});
