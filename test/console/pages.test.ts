import { eq } from 'drizzle-orm';
import type { Hono } from 'hono';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { bulkActionRequestSchema } from '../../src/contracts/bulk-actions.ts';
import type { PageEnv } from '../../src/console/environment.ts';
import { findSession, openSession } from '../../src/console/sign-in/sessions.ts';
import { bulkActionItems, bulkActions, commands, emails, failures, operatorActions, orders, bookChecks, differences, sagaSteps } from '../../src/db/schema.ts';
import { transaction } from '../../src/db/transaction.ts';
import { acceptSignup } from '../../src/intake/signups.ts';
import { revokeApiKey } from '../../src/operate/api-keys.ts';
import { runBulkActionBatch, startBulkAction } from '../../src/operate/bulk-actions.ts';
import { insertApiKey } from '../../src/records/api-keys.ts';
import { refuseCancellation } from '../../src/records/cancellations.ts';
import { openFailure, type NewFailure } from '../../src/records/failures.ts';
import { openFailureOf } from '../support/failures.ts';
import { createShop, type Shop } from '../support/shop.ts';
import { createTestPages, ORIGIN } from './support/pages.ts';

let shop: Shop;
let app: Hono<PageEnv>;
let operatorId: string;
let cookie: string;
let csrf: string;

beforeAll(async () => {
  shop = await createShop();
  app = createTestPages(shop);
  const { id, key } = await insertApiKey(shop.db, { name: 'an operator', role: 'operator' });
  operatorId = id;
  const token = await openSession(shop.db, { keyId: id, role: 'operator' }, key);
  csrf = (await findSession(shop.db, token))?.csrf ?? '';
  cookie = `holdfast_session=${token}`;
});
afterAll(() => shop.close());

const get = async (path: string) => {
  const response = await app.request(`${ORIGIN}${path}`, { headers: { Cookie: cookie } });
  return { status: response.status, text: await response.text() };
};

/** Sends a form. @returns where it leads, and what is shown there */
const send = async (path: string, fields: Record<string, string>) => {
  const response = await app.request(`${ORIGIN}${path}`, {
    method: 'POST',
    headers: { Cookie: cookie, Origin: ORIGIN },
    body: new URLSearchParams({ csrf, ...fields }),
  });
  const flash = /holdfast_flash=([^;]*)/.exec(response.headers.get('Set-Cookie') ?? '')?.[1] ?? '';
  return { location: response.headers.get('Location'), flash: decodeURIComponent(flash) };
};

async function openOrderFailure(details: Partial<NewFailure> = {}) {
  const { orderId, generation } = await shop.placeOrder();
  const ref = await transaction(shop.db, (tx) =>
    openFailure(tx, {
      kind: 'step',
      workflowId: `order/${orderId}`,
      orderId,
      generation,
      step: 'ship',
      errorType: 'warehouse_unavailable',
      errorMessage: 'HTTP 503',
      attempts: 4,
      ...details,
    }),
  );
  return { orderId, ...ref };
}

it('lists the retrying steps while Temporal is unavailable', async () => {
  const { orderId } = await shop.placeOrder();
  await shop.db.insert(sagaSteps).values({
    orderId,
    generation: 1,
    step: 'charge',
    kind: 'step',
    state: 'retrying',
    attempts: 3,
    errorType: 'payment_unavailable',
    errorMessage: 'no answer',
  });
  const { status, text } = await get('/ops');
  expect(status).toBe(200);
  expect(text).toContain('Temporal is unavailable, so the next attempts are not known.');
  expect(text).toContain(`href="/ops/orders/${orderId}"`);
  expect(text).toContain('payment unavailable');
});

it('retries a failure with a corrected address, and records it', async () => {
  const { orderId, failureId } = await openOrderFailure();
  const address = { line1: '2 Dorset Street', city: 'London', postalCode: 'W1U 4EG', country: 'GB' };
  const path = `/ops/failures/${failureId}`;
  const { location, flash } = await send(`${path}/retry`, { reason: 'the house number was wrong', ...address });
  expect(location).toBe(path);
  expect(flash).toContain('Retry requested.');
  const [order] = await shop.db.select().from(orders).where(eq(orders.id, orderId));
  expect(order).toMatchObject(address);
  const audit = await shop.db.select().from(operatorActions).where(eq(operatorActions.target, failureId));
  expect(audit).toMatchObject([{ action: 'retry_failure', actor: `key:${operatorId}`, reason: 'the house number was wrong' }]);
});

it('says which field is wrong and what the state refuses, and then does nothing', async () => {
  const { orderId, failureId } = await openOrderFailure();
  const path = `/ops/failures/${failureId}`;
  expect((await send(`${path}/retry`, { reason: ' ' })).flash).toContain('Nothing was done: reason: must not be empty.');
  const address = { line1: 'x', city: 'x', postalCode: 'x', country: 'Germany' };
  const wrong = await send(`${path}/retry`, { reason: 'moved', ...address });
  expect(wrong.flash).toContain('shipping address country: must be an ISO 3166-1 alpha-2 code');
  expect((await send(`${path}/reset`, { reason: 'fixed', eventId: '' })).flash).toContain('Nothing was done: Not possible');
  expect((await send(`/ops/orders/${orderId}/approve`, { reason: 'fine' })).flash).toContain('not waiting for a decision');
  expect((await send('/ops/schedules/prune/pause', { reason: 'busy' })).flash).toContain('Temporal did not answer');
  expect(await shop.db.$count(failures, eq(failures.status, 'retrying'))).toBe(1);
  expect(await shop.db.$count(operatorActions, eq(operatorActions.target, failureId))).toBe(0);
});

it('shows when a compensation is tried again, and that a parked step is not', async () => {
  const soon = new Date(Date.now() + 150_000);
  const compensation = await openOrderFailure({ kind: 'compensation', step: 'charge', nextRetryAt: soon });
  expect((await get(`/ops/failures/${compensation.failureId}`)).text).toMatch(/Next retry<\/dt><dd><time[^>]*>in \d min/);
  const parked = await openOrderFailure();
  expect((await get(`/ops/failures/${parked.failureId}`)).text).toMatch(/Next retry<\/dt><dd>none planned/);
});

it('pages through a list, keeping the search', async () => {
  const ids: string[] = [];
  for (let index = 0; index < 60; index += 1) {
    ids.push((await shop.placeOrder({ customer: { email: 'joan@example.com', name: 'Joan Clarke' } })).orderId);
  }
  const first = await get('/ops/orders?email=joan@example.com&status=accepted');
  expect(first.text).toContain('60 matching orders');
  const next = /href="([^"]*)" rel="next"/.exec(first.text)?.[1]?.replaceAll('&amp;', '&') ?? '';
  expect(next).toContain('email=joan%40example.com&status=accepted&cursor=');
  const second = await get(next);
  expect(ids.filter((id) => first.text.includes(`/ops/orders/${id}"`))).toHaveLength(50);
  expect(ids.filter((id) => second.text.includes(`/ops/orders/${id}"`))).toHaveLength(10);
  expect(second.text).not.toContain('rel="next"');
});

it('shows what is wrong with a search, and nothing that was not searched for', async () => {
  const { failureId } = await openOrderFailure();
  expect((await get('/ops/failures')).text).toContain(failureId);
  const wrong = await get('/ops/failures?orderId=seven');
  expect(wrong.status).toBe(422);
  expect(wrong.text).toContain('The search is not valid: order id: must be a UUID.');
  expect(wrong.text).toContain('Correct the search to see failures.');
  expect(wrong.text).not.toContain(failureId);
  expect(wrong.text).not.toContain('matching failure');
  const early = await get('/ops/failures?from=0000-01-01T00:00');
  expect(early.status).toBe(422);
  expect(early.text).toContain('The search is not valid: from: must not be in the year 0.');
});

it('starts a list at its beginning when the cursor is malformed', async () => {
  for (const path of ['failures', 'orders', 'signups', 'bulk-actions', 'audit']) {
    expect(await get(`/ops/${path}?cursor=nonsense`)).toMatchObject({ status: 200 });
  }
});

it('tells the story of an order in words', async () => {
  const { orderId, failureId } = await openOrderFailure();
  await send(`/ops/failures/${failureId}/cancel`, { reason: 'the customer cannot wait' });
  const { text } = await get(`/ops/orders/${orderId}`);
  expect(text).toContain('Start requested (not delivered yet)');
  expect(text).toContain('Cancellation requested (not delivered yet)');
  expect(text).toContain('Cancellation requested (step: ship)');
  expect(text).toContain('the customer cannot wait');
});

it('says what became of a cancellation', async () => {
  const { orderId } = await shop.placeOrder();
  await send(`/ops/orders/${orderId}/cancel`, { reason: 'the customer has called' });
  expect((await get(`/ops/orders/${orderId}`)).text).toMatch(/<dt>Cancellation<\/dt>.*?Requested/s);
  await refuseCancellation(shop.db, { orderId, generation: 1 });
  const { text } = await get(`/ops/orders/${orderId}`);
  expect(text).toMatch(/<dt>Cancellation<\/dt>.*?Refused/s);
  expect(text).toContain('the customer has called');
  expect(text).toContain('Cancellation refused: the parcel had left');
  expect(text).not.toContain(`action="/ops/orders/${orderId}/cancel"`);
});

it('says that an order waits for a review, and that an email was suppressed', async () => {
  const { orderId } = await shop.placeOrder();
  await shop.db.update(orders).set({ status: 'awaiting_approval' }).where(eq(orders.id, orderId));
  await shop.db.update(commands).set({ state: 'delivered' }).where(eq(commands.workflowId, `order/${orderId}`));
  const result = { items: 1, reason: 'Review: 5 declined cards in 24 hours.' };
  await shop.db
    .insert(sagaSteps)
    .values({ orderId, generation: 1, step: 'reserve', kind: 'step', state: 'done', attempts: 1, result });
  await shop.db
    .insert(emails)
    .values({ key: 'suppressed', template: 'order_failed', status: 'suppressed', recipient: 'ada@example.com', orderId });
  const { text } = await get(`/ops/orders/${orderId}`);
  expect(text).toContain('Waiting for a person to approve it. Review: 5 declined cards in 24 hours.');
  expect(text).toContain('Email suppressed: order failed');
});

it('has a page for every section of the navigation', async () => {
  const navigation = /<nav.*?<\/nav>/s.exec((await get('/ops')).text)?.[0] ?? '';
  const sections = [...navigation.matchAll(/href="([^"]+)"/g)].map(([, path = '']) => path);
  expect(sections.length).toBeGreaterThan(7);
  const answers = await Promise.all(sections.map(async (path) => ({ path, status: (await get(path)).status })));
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
});

it('answers for what does not exist', async () => {
  for (const [path, title] of [
    ['/ops/orders/seven', 'No order with this id.'],
    ['/ops/signups/018f3f3e-0000-7000-8000-000000000000', 'No signup with this id.'],
    ['/ops/reports/2020-W01', 'No report with this id.'],
    ['/ops/nowhere', 'Page not found'],
  ] as const) {
    const { status, text } = await get(path);
    expect(status).toBe(404);
    expect(text).toContain(`<h1>${title}</h1>`);
  }
});

it('offers to send an email again, also in bulk for a signup', async () => {
  const { made: signup } = await acceptSignup(shop.db, shop.caller, {
    idempotencyKey: 'unsent',
    requestHash: 'unsent',
    signup: { email: 'unsent@example.com', name: 'Grace' },
  });
  const { failureId } = await openOrderFailure({
    kind: 'email',
    step: 'verification',
    workflowId: `signup/${signup.id}`,
    orderId: null,
    signupId: signup.id,
  });
  expect((await get(`/ops/failures/${failureId}`)).text).toContain('Send the email again');
  const dryRun = await get(`/ops/bulk-actions/new?action=retry&ids=${failureId}`);
  expect(dryRun.text).toContain('Retry 1 failure');
  expect(dryRun.text).toContain(`href="/ops/signups/${signup.id}"`);
  const { location } = await send('/ops/bulk-actions', { action: 'retry', ids: failureId, reason: 'it is back', ratePerSecond: '20' });
  expect((await get(location ?? '')).text).toContain(`href="/ops/signups/${signup.id}"`);
});

it('starts a bulk action after a dry run that names the filter', async () => {
  const { failureId, orderId } = await openOrderFailure({ errorType: 'invalid_request' });
  const dryRun = await get('/ops/bulk-actions/new?action=retry&scope=all&errorType=invalid_request');
  expect(dryRun.text).toContain('<strong>1</strong> will be retried');
  expect(dryRun.text).toContain('<dt>Error</dt><dd>invalid request</dd>');
  const filter = JSON.stringify({ errorType: 'invalid_request' });
  const form = { action: 'retry', filter, reason: 'fixed', ratePerSecond: '20' };
  const { location, flash } = await send('/ops/bulk-actions', form);
  expect(flash).toContain('Retry started.');
  const { text } = await get(location ?? '');
  // It is above the parts that are live: 'just now' would stay.
  expect(text).toMatch(/started <time[^>]* data-exact/);
  expect(text).toContain(`href="/ops/orders/${orderId}"`);
  expect(text).toContain(`href="/ops/failures/${failureId}"`);
  expect(await shop.db.$count(commands, eq(commands.workflowId, `replay/${location?.split('/').at(-1)}`))).toBe(1);
});

it('says what came of a bulk action, and offers a dry run of exactly what failed again', async () => {
  const parked = [await openOrderFailure({ errorType: 'flaky' }), await openOrderFailure({ errorType: 'flaky' })];
  const ids = parked.map(({ failureId }) => failureId);
  const request = bulkActionRequestSchema.parse({ action: 'retry', ids, reason: 'it is back' });
  const id = await startBulkAction(shop.db, request, 'key:1');
  const path = `/ops/bulk-actions/${id}`;
  expect((await get(path)).text).not.toContain('failedAgainIn');
  await runBulkActionBatch(shop.db, id, 5, () => {});
  await openFailureOf(shop.db, { orderId: parked[0]?.orderId ?? '', generation: 1 });
  const { text } = await get(path);
  expect(text).toContain('<strong>So far:</strong> 1 failed again, 1 waiting.');
  const [, next = ''] = /href="([^"]+)">Retry this one</.exec(text) ?? [];
  const dryRun = await get(next.replaceAll('&amp;', '&'));
  expect(dryRun.text).toContain('<strong>1</strong> will be retried');
  expect(dryRun.text).toContain(`href="/ops/orders/${parked[0]?.orderId}"`);
  expect(dryRun.text).not.toContain(`href="/ops/orders/${parked[1]?.orderId}"`);
  const { location } = await send('/ops/bulk-actions', { action: 'retry', failedAgainIn: id, reason: 'once more', ratePerSecond: '20' });
  expect(await shop.db.select().from(bulkActionItems).where(eq(bulkActionItems.bulkActionId, location?.split('/').at(-1) ?? ''))).toMatchObject([
    { failureId: ids[0] },
  ]);
});

it('says that a bulk action waits for the results of its first items', async () => {
  const parked = [];
  while (parked.length < 6) parked.push(await openOrderFailure({ errorType: 'flaky' }));
  const request = bulkActionRequestSchema.parse({ action: 'retry', ids: parked.map(({ failureId }) => failureId), reason: 'it is back' });
  const id = await startBulkAction(shop.db, request, 'key:1');
  expect((await get(`/ops/bulk-actions/${id}`)).text).not.toContain('tried alone');
  await runBulkActionBatch(shop.db, id, 20, () => {});
  expect((await get(`/ops/bulk-actions/${id}`)).text).toContain('The first 5 are tried alone.');
});

it('says why a bulk action has paused itself, and offers to resume it', async () => {
  const { failureId } = await openOrderFailure({ errorType: 'flaky' });
  const request = bulkActionRequestSchema.parse({ action: 'retry', ids: [failureId], reason: 'it is back' });
  const id = await startBulkAction(shop.db, request, 'key:1');
  const pauseReason = 'The first 5 items failed again: no answer';
  await shop.db.update(bulkActions).set({ state: 'paused', pauseReason }).where(eq(bulkActions.id, id));
  const { text } = await get(`/ops/bulk-actions/${id}`);
  expect(text).toContain(`<strong>Paused by itself.</strong> ${pauseReason}`);
  expect(text).toContain('Resume…');
  await send(`/ops/bulk-actions/${id}/resume`, { reason: 'it is back now' });
  expect((await get(`/ops/bulk-actions/${id}`)).text).not.toContain('Paused by itself');
});

it('shows what differs in the books, and which check could not be made', async () => {
  const { orderId, failureId } = await openOrderFailure({ kind: 'discrepancy', step: 'order_runs', errorType: 'run_missing' });
  const sides = { what: 'run_missing', ours: 'charged, generation 1', theirs: 'no run' };
  await shop.db.insert(differences).values({ check: 'order_runs', subject: orderId, orderId, failureId, ...sides });
  const unchecked = { check: 'payments', scope: 'changed', startedAt: new Date(), compared: 0 } as const;
  await shop.db.insert(bookChecks).values({ ...unchecked, error: 'payment_unavailable: no answer' });
  const { text } = await get('/ops/books');
  expect(text).toContain('Postgres: charged, generation 1');
  expect(text).toContain(`href="/ops/failures/${failureId}"`);
  expect(text).toContain('payment_unavailable: no answer');
});

it('announces how an order stands, as a sentence', async () => {
  const { orderId } = await shop.placeOrder();
  await shop.db.update(orders).set({ status: 'needs_attention' }).where(eq(orders.id, orderId));
  const response = await app.request(`${ORIGIN}/ops/orders/${orderId}/live`, { headers: { Cookie: cookie } });
  const updates = z.instanceof(ReadableStream<Uint8Array>).parse(response.body).getReader();
  const { value } = await updates.read();
  await updates.cancel();
  expect(new TextDecoder().decode(value)).toContain('"announcement":"Order: needs attention."');
});

it('ends the live updates of a page when the session ends', async () => {
  const { id, key } = await insertApiKey(shop.db, { name: 'leaving', role: 'operator' });
  const token = await openSession(shop.db, { keyId: id, role: 'operator' }, key);
  const response = await app.request(`${ORIGIN}/ops/books/live`, { headers: { Cookie: `holdfast_session=${token}` } });
  const updates = z.instanceof(ReadableStream).parse(response.body).getReader();
  expect(await updates.read()).toMatchObject({ done: false });
  await revokeApiKey(shop.db, id, { actor: 'cli:ada', reason: 'lost' });
  for (let isOver = false; !isOver; ) isOver = (await updates.read()).done;
});

it('counts the live updates of a page among the streams of its key while they are open', async () => {
  const open: string[] = [];
  const openStream = (keyId: string) => {
    open.push(keyId);
    return () => void open.pop();
  };
  const leaving = new AbortController();
  const response = await createTestPages(shop, { openStream }).request(`${ORIGIN}/ops/live`, { headers: { Cookie: cookie }, signal: leaving.signal });
  await z.instanceof(ReadableStream).parse(response.body).getReader().read();
  expect(open).toEqual([operatorId]);
  leaving.abort();
  await expect.poll(() => open).toEqual([]);
});

it.each([['http:', false], ['https:', true]])('sends its cookies over %s, and requires encryption: %s', async (protocol, isSecure) => {
  const publicUrl = `${protocol}//shop.test`;
  const pages = createTestPages(shop, { publicUrl });
  const response = await pages.request(`${publicUrl}/ops/schedules/prune/pause`, {
    method: 'POST',
    headers: { Cookie: cookie, Origin: publicUrl },
    body: new URLSearchParams({ csrf, reason: ' ' }),
  });
  const [flash = ''] = response.headers.getSetCookie();
  expect(flash).toContain('holdfast_flash=');
  expect(flash.includes('; Secure')).toBe(isSecure);
});
