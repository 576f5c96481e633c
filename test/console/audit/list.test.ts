import { eq, sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { findSession, openSession } from '../../../src/console/sign-in/sessions.ts';
import { operatorActions } from '../../../src/db/schema.ts';
import { createApiKey } from '../../../src/operate/api-keys.ts';
import { insertApiKey } from '../../../src/records/api-keys.ts';
import { useShop } from '../../support/shop.ts';
import { createTestPages, ORIGIN } from '../support/pages.ts';

const shop = await useShop();
const app = createTestPages(shop);
const ada = await insertApiKey(shop.db, { name: 'Ada (nights)', role: 'operator' });
const grace = await insertApiKey(shop.db, { name: 'Grace 100%', role: 'operator' });
const token = await openSession(shop.db, { keyId: ada.id, role: 'operator' }, ada.key);

const ORDER = '0197d0a0-0000-7000-8000-000000000001';
const FAILURE = '0197d0a0-0000-7000-8000-000000000002';
await shop.db.insert(operatorActions).values([
  { actor: `key:${ada.id}`, action: 'cancel_order', target: ORDER, reason: 'by Ada', at: new Date('2026-03-01T10:00:00Z') },
  { actor: `key:${grace.id}`, action: 'retry_failure', target: FAILURE, reason: 'by Grace', at: new Date('2026-03-02T10:00:00Z') },
  { actor: 'cli:linus', action: 'pause_schedule', target: 'prune', reason: 'by Linus', at: new Date('2026-03-03T10:00:00Z') },
  { actor: `key:${ada.id}`, action: 'bulk_retry', target: FAILURE, reason: 'in bulk', at: new Date('2026-03-04T10:00:00Z') },
]);
const created = await createApiKey(shop.db, { name: 'web shop', role: 'customer' }, { actor: 'cli:linus', reason: 'a new key' });

async function show(query = '') {
  const response = await app.request(`${ORIGIN}/ops/audit${query}`, { headers: { Cookie: `holdfast_session=${token}` } });
  const text = await response.text();
  const reasons = ['by Ada', 'by Grace', 'by Linus', 'in bulk', 'a new key', 'to the operator'].filter((reason) => text.includes(reason));
  return { status: response.status, text, reasons };
}

it('shows names instead of keys, hides sign-ins, and links to what was acted on', async () => {
  const { text, reasons } = await show();
  expect(reasons).toEqual(['by Ada', 'by Grace', 'by Linus', 'in bulk', 'a new key']);
  expect(text).toContain(`<span title="key:${ada.id}">Ada (nights)</span>`);
  expect(text).toContain('<span title="cli:linus">cli:linus</span>');
  expect(text).toContain(`href="/ops/orders/${ORDER}"`);
  expect(text).toContain(`href="/ops/failures/${FAILURE}"`);
  expect(text).toContain(`href="/ops/bulk-actions/${FAILURE}"`);
  expect(text).toContain('href="/ops/schedules#prune-title"');
  expect(text).toContain(`href="/ops/audit?target=${created.id}&amp;signIns=shown" title="${created.id}">key “web shop”</a>`);
});

it.each([
  ['?person=ada', ['by Ada', 'in bulk']],
  ['?person=100%25', ['by Grace']],
  ['?person=linus', ['by Linus', 'a new key']],
  ['?action=retry_failure', ['by Grace']],
  [`?target=${FAILURE}`, ['by Grace', 'in bulk']],
  ['?from=2026-03-02T10:00&to=2026-03-03T10:00', ['by Grace']],
  ['?signIns=shown&person=ada', ['by Ada', 'in bulk', 'to the operator']],
  ['?action=sign_in', ['to the operator']],
  ['?person=ada&action=cancel_order', ['by Ada']],
  ['?person=nobody', []],
] as const)('filters: %s', async (query, expected) => {
  expect((await show(query)).reasons).toEqual(expected);
});

it('says what is wrong with a filter', async () => {
  const { status, text } = await show('?action=steal_order');
  expect(status).toBe(422);
  expect(text).toContain('The search is not valid: action: must be one of');
});

it('is a file with the same filter', async () => {
  const response = await app.request(`${ORIGIN}/ops/audit.csv?person=grace`, { headers: { Cookie: `holdfast_session=${token}` } });
  expect(response.headers.get('Content-Disposition')).toBe('attachment; filename="audit.csv"');
  expect(await response.text()).toBe(
    `Time,Person,Actor,Action,Target,Reason\r\n2026-03-02T10:00:00.000Z,Grace 100%,key:${grace.id},retry_failure,${FAILURE},by Grace\r\n`,
  );
  expect(await findSession(shop.db, token)).toMatchObject({ name: 'Ada (nights)' });
});

it('records who downloads a list, and not what was searched for', async () => {
  for (const path of ['orders.csv?email=ada@example.com', 'failures.csv', 'signups.csv']) {
    expect((await app.request(`${ORIGIN}/ops/${path}`, { headers: { Cookie: `holdfast_session=${token}` } })).status).toBe(200);
  }
  const recorded = await shop.db.select().from(operatorActions).where(eq(operatorActions.action, 'export_list')).orderBy(operatorActions.id);
  const by = { actor: `key:${ada.id}`, reason: "from the operator's page" };
  expect(recorded.map(({ actor, reason }) => ({ actor, reason }))).toEqual([by, by, by, by]);
  expect(recorded.map(({ target }) => target)).toEqual(['audit', 'orders', 'failures', 'signups']);
  expect((await show('?action=export_list')).text).toContain('<code>orders</code>');
});

it('is no file while more rows match than fit, which the page says beforehand', async () => {
  const rows = sql`select 'cli:many', 'retry_failure', n::text, 'one of many' from generate_series(1, 50001) as n`;
  await shop.db.execute(sql`insert into operator_actions (actor, action, target, reason) ${rows}`);
  const response = await app.request(`${ORIGIN}/ops/audit.csv?person=many`, { headers: { Cookie: `holdfast_session=${token}` } });
  expect(response.status).toBe(422);
  expect(await response.text()).toBe('More than 50,000 rows: narrow the filter.');
  expect(await shop.db.$count(operatorActions, eq(operatorActions.action, 'export_list'))).toBe(4);
  expect((await show()).text).toContain('at most 50,000 rows');
});
