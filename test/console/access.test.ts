import { eq } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { mayUse, PAGE_ACCESS } from '../../src/console/access.ts';
import { findSession, openSession } from '../../src/console/sign-in/sessions.ts';
import { bulkActionRequestSchema } from '../../src/contracts/bulk-actions.ts';
import { failures, operatorActions, orders } from '../../src/db/schema.ts';
import { revokeApiKey } from '../../src/operate/api-keys.ts';
import { startBulkAction } from '../../src/operate/bulk-actions.ts';
import { insertApiKey } from '../../src/records/api-keys.ts';
import { openFailureOf } from '../support/failures.ts';
import { useShop } from '../support/shop.ts';
import { createTestPages, ORIGIN } from './support/pages.ts';

const shop = await useShop();
const app = createTestPages(shop);

const { id, key } = await insertApiKey(shop.db, { name: 'former', role: 'operator' });
const ended = await openSession(shop.db, { keyId: id, role: 'operator' }, key);
await revokeApiKey(shop.db, id, { actor: 'test', reason: 'It has leaked.' });
const operator = await insertApiKey(shop.db, { name: 'an operator', role: 'operator' });
const support = await insertApiKey(shop.db, { name: 'Grace at the counter', role: 'support' });
const supportToken = await openSession(shop.db, { keyId: support.id, role: 'support' }, support.key);
const csrf = (await findSession(shop.db, supportToken))?.csrf ?? '';
const asSupport = { Cookie: `holdfast_session=${supportToken}`, Origin: ORIGIN };

/** Anyone may see how to sign in, and what it looks like. */
const OPEN = /^\/ops\/(sign-in|assets\/)/;
const routes = app.routes.filter(({ method }) => method !== 'ALL');
const pages = routes.filter(({ path }) => !OPEN.test(path));

const urlOf = (path: string) => `${ORIGIN}${path.replaceAll(/:\w+/g, '0197d0a0-0000-7000-8000-000000000000')}`;

const show = async (path: string) => {
  const response = await app.request(`${ORIGIN}${path}`, { headers: asSupport });
  return { status: response.status, text: await response.text() };
};

const send = async (path: string, fields: Record<string, string> = {}) => {
  const body = new URLSearchParams({ csrf, reason: 'the customer called', ...fields });
  const response = await app.request(urlOf(path), { method: 'POST', headers: asSupport, body });
  return { status: response.status, text: await response.text(), cookie: decodeURIComponent(response.headers.get('Set-Cookie') ?? '') };
};

it('has pages and forms', () => {
  expect(pages.filter(({ method }) => method === 'GET').length).toBeGreaterThan(15);
  expect(pages.filter(({ method }) => method === 'POST').length).toBeGreaterThan(10);
});

it('says of each route whom it is for, and of nothing else', () => {
  const known = new Set(routes.map(({ method, path }) => `${method} ${path}`));
  expect([...known].toSorted()).toEqual(Object.keys(PAGE_ACCESS).toSorted());
  for (const { method, path } of pages) expect(PAGE_ACCESS[`${method} ${path}`]).not.toBe('everyone');
});

it.each(pages)('needs a session that has not ended: $method $path', async ({ method, path }) => {
  const credentials: Record<string, string>[] = [
    {},
    { Cookie: 'holdfast_session=guess' },
    { Cookie: `holdfast_session=${ended}` },
    // Keys are for the API. A page that took them could be used without a sign-in.
    { Authorization: `Bearer ${operator.key}` },
  ];
  for (const headers of credentials) {
    const body = method === 'POST' ? new URLSearchParams({ csrf: 'guess', reason: 'r' }) : null;
    const { status, headers: answered } = await app.request(urlOf(path), { method, body, headers: { Origin: ORIGIN, ...headers } });
    const found = { headers, status, leadsTo: answered.get('Location')?.split('?')[0] };
    // Otherwise, the browser would open the stream again and again.
    const refusal = path.endsWith('/live') ? { status: 204, leadsTo: undefined } : { status: 303, leadsTo: '/ops/sign-in' };
    expect(found).toEqual({ headers, ...refusal });
  }
});

const forOperators = pages.filter(({ method, path }) => PAGE_ACCESS[`${method} ${path}`] === 'operators');

it.each(forOperators)('is refused to support: $method $path', async ({ method, path }) => {
  const body = method === 'POST' ? new URLSearchParams({ csrf, reason: 'r' }) : null;
  const response = await app.request(urlOf(path), { method, body, headers: asSupport });
  expect(response.status).toBe(403);
  const text = await response.text();
  expect(text).toContain('<h1>Not allowed</h1>');
  expect(text).toContain('your key “Grace at the counter” has');
  expect(await shop.db.$count(operatorActions, eq(operatorActions.actor, `key:${support.id}`))).toBe(1);
});

it.each(pages.filter((page) => !forOperators.includes(page) && page.method === 'GET' && !page.path.endsWith('/live')))(
  'is open to support: $path',
  async ({ path }) => {
    const response = await app.request(urlOf(path), { headers: asSupport });
    // Most of these do not exist.
    expect([200, 404]).toContain(response.status);
  },
);

it('says who is signed in, and shows support no entry and no button that it may not use', async () => {
  const { orderId, failureId } = await parkedOrder();
  const { text } = await show('/ops');
  expect(text).toContain('Signed in as <b>Grace at the counter</b> <span class="role">support</span>');
  const entries = [...(/<nav[^>]*aria-label="Sections">.*?<\/nav>/s.exec(text)?.[0] ?? '').matchAll(/href="([^"]+)"/g)];
  expect(entries.map(([, path]) => path)).toEqual(['/ops', '/ops/failures', '/ops/orders', '/ops/signups', '/ops/reports']);
  const failure = await show(`/ops/failures/${failureId}`);
  expect(failure.text).toContain(`Operators decide about failures. You can cancel <a href="/ops/orders/${orderId}">order …${orderId.slice(-8)}</a>.`);
  const list = await show('/ops/failures');
  expect(list.text).toContain(`/ops/failures/${failureId}`);
  expect(list.text).not.toContain('data-selection');
  for (const page of [failure, list, await show(`/ops/orders/${orderId}`)]) {
    const actions = [...page.text.matchAll(/<form method="post" action="([^"]+)"/g)].map(([, action]) => action);
    expect(actions.filter((action = '') => !mayUse({ role: 'support' }, 'POST', action))).toEqual([]);
  }
});

it('finds nothing for support that it may not open', async () => {
  const { failureId } = await parkedOrder();
  const request = bulkActionRequestSchema.parse({ action: 'retry', ids: [failureId], reason: 'it is back' });
  const bulkActionId = await startBulkAction(shop.db, request, `key:${operator.id}`);
  const { text } = await show(`/ops/find?q=${bulkActionId}`);
  expect(text).toContain('Nothing found.');
  expect(text).not.toContain(`/ops/bulk-actions/${bulkActionId}`);
  const found = await app.request(`${ORIGIN}/ops/find?q=${failureId}`, { headers: asSupport });
  expect(found.headers.get('Location')).toBe(`/ops/failures/${failureId}`);
});

it('tells support who decides about a failed order', async () => {
  const { orderId } = await shop.placeOrder();
  await shop.db.update(orders).set({ status: 'failed' }).where(eq(orders.id, orderId));
  expect((await show(`/ops/orders/${orderId}`)).text).toContain('Operators decide about failed orders.');
});

it('lets support cancel one order, which the audit knows', async () => {
  const { orderId } = await parkedOrder();
  expect((await show(`/ops/orders/${orderId}`)).text).toContain(`action="/ops/orders/${orderId}/cancel"`);
  expect((await send(`/ops/orders/${orderId}/cancel`)).cookie).toContain('Cancellation requested.');
  const audit = await shop.db.select().from(operatorActions).where(eq(operatorActions.target, orderId));
  expect(audit).toMatchObject([{ action: 'cancel_order', actor: `key:${support.id}`, reason: 'the customer called' }]);
});

it('lets support approve the orders of others, but never its own', async () => {
  const { orderId: theirs } = await shop.placeOrder();
  const own = await placedBySupport();
  for (const orderId of [theirs, own]) {
    await shop.db.update(orders).set({ status: 'awaiting_approval' }).where(eq(orders.id, orderId));
  }
  expect((await show(`/ops/orders/${theirs}`)).text).toContain(`action="/ops/orders/${theirs}/approve"`);
  expect((await show(`/ops/orders/${own}`)).text).not.toContain(`action="/ops/orders/${own}/approve"`);
  expect((await send(`/ops/orders/${own}/approve`)).cookie).toContain('Someone else has to.');
  expect((await send(`/ops/orders/${theirs}/approve`)).cookie).toContain('Approved.');
  const decided = await shop.db.select().from(orders).where(eq(orders.approvalDecision, 'approve'));
  expect(decided.map((order) => order.id)).toEqual([theirs]);
});

it('ends the session of support as soon as its key is revoked', async () => {
  const leaving = await insertApiKey(shop.db, { name: 'leaving', role: 'support' });
  const token = await openSession(shop.db, { keyId: leaving.id, role: 'support' }, leaving.key);
  const open = () => app.request(`${ORIGIN}/ops/orders`, { headers: { Cookie: `holdfast_session=${token}` } });
  expect((await open()).status).toBe(200);
  await revokeApiKey(shop.db, leaving.id, { actor: 'test', reason: 'left' });
  expect((await open()).status).toBe(303);
});

async function parkedOrder() {
  const ref = await shop.placeOrder();
  await shop.db.update(orders).set({ status: 'needs_attention' }).where(eq(orders.id, ref.orderId));
  const { failureId } = await openFailureOf(shop.db, ref);
  expect(await shop.db.$count(failures, eq(failures.id, failureId))).toBe(1);
  return { orderId: ref.orderId, failureId };
}

const placedBySupport = async (): Promise<string> => (await shop.placeOrder({}, { keyId: support.id, role: 'support' })).orderId;
