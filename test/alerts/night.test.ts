import type { Hono } from 'hono';
import { beforeAll, expect, it } from 'vitest';
import { configureAlerter } from '../../src/alerts/configured.ts';
import { loadWorkerConfig } from '../../src/config.ts';
import type { PageEnv } from '../../src/console/environment.ts';
import { findSession, openSession } from '../../src/console/sign-in/sessions.ts';
import { insertApiKey } from '../../src/records/api-keys.ts';
import { createTestPages, ORIGIN } from '../console/support/pages.ts';
import { useRig } from '../support/rig.ts';
import { useReceiver } from './support/receiver.ts';

const MINUTE = 60_000;
const ORDERS = 50;
const ON_CALL = 'oncall@holdfast.example';
const SECRET = `whsec_${Buffer.from('only for tests, and long enough').toString('base64')}`;

const rig = await useRig();
const [webhook, slack] = [await useReceiver(), await useReceiver()];

/** Two of them: an API and a worker. The clock skips, for the workflows and for alerts. */
let skipped = 0;
const alerters = [1, 2].map(() =>
  configureAlerter(
    loadWorkerConfig({
      ...rig.shop.environment,
      PUBLIC_URL: ORIGIN,
      ALERT_WEBHOOK_URL: webhook.url,
      ALERT_WEBHOOK_SECRET: SECRET,
      ALERT_SLACK_URL: slack.url,
    }),
    { db: rig.db, client: rig.client, log: rig.shop.log, now: () => Promise.resolve(new Date(Date.now() + skipped)) },
  ),
);

/** Lets time pass. Both look every ten seconds. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10_000) {
    await rig.skip(10_000);
    skipped += 10_000;
    await rig.deliver();
    await Promise.all(alerters.map(({ look }) => look()));
  }
}

let app: Hono<PageEnv>;
let cookie: string;
let csrf: string;
beforeAll(async () => {
  app = createTestPages(rig.shop);
  const { id, key } = await insertApiKey(rig.db, { name: 'night shift', role: 'operator' });
  const token = await openSession(rig.db, { keyId: id, role: 'operator' }, key);
  csrf = (await findSession(rig.db, token))?.csrf ?? '';
  cookie = `holdfast_session=${token}`;
});

const open = async (path: string) => (await app.request(`${ORIGIN}${path}`, { headers: { Cookie: cookie } })).text();

/** Starts a retry of what the link of an alert shows, as the forms of the page do. @returns its page */
async function retryAll(link: string, count: number): Promise<string> {
  const query = new URL(link).searchParams;
  const failures = await open(`/ops/failures?${query.toString()}`);
  expect(failures).toContain(`${count} matching failures`);
  const dryRun = await open(`/ops/bulk-actions/new?action=retry&scope=all&${query.toString()}`);
  expect(dryRun).toContain(`<strong>${count}</strong> will be retried`);
  const [, filter = ''] = /name="filter" value="([^"]+)"/.exec(dryRun) ?? [];
  const response = await app.request(`${ORIGIN}/ops/bulk-actions`, {
    method: 'POST',
    headers: { Cookie: cookie, Origin: ORIGIN },
    body: new URLSearchParams({
      csrf,
      action: 'retry',
      filter: filter.replaceAll('&quot;', '"'),
      reason: 'the warehouse is back',
      ratePerSecond: '50',
      confirm: String(count),
    }),
  });
  return response.headers.get('Location') ?? '';
}

async function parkSome(count: number): Promise<string[]> {
  rig.warehouse.faults.set({ mode: 'error_before' });
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) ids.push(await rig.placeOrder());
  for (const id of ids) await rig.orderStatus(id, 'charged');
  await rig.skip(MINUTE);
  for (const id of ids) await rig.orderStatus(id, 'needs_attention');
  return ids;
}

const subjects = () => rig.emails(ON_CALL).map((subject) => subject.replace(/\d\d:\d\d CES?T( on \d+ \w+)?/, 'HH:MM'));
const linkOf = (index: number) => /https?:\S+/.exec(rig.inbox.messages({ to: ON_CALL }).toReversed()[index]?.text ?? '')?.[0] ?? '';

it('is two outages, four messages on each channel, and two bulk actions', { timeout: 300_000 }, async () => {
  const ids = await parkSome(ORDERS);
  await pass(MINUTE);
  expect(subjects()).toEqual([
    '[Holdfast] 50 orders (€890.00) parked at shipping: the warehouse has not answered since HH:MM',
  ]);
  expect(linkOf(0)).toBe(`${ORIGIN}/ops/failures?status=open&kind=step&step=ship&errorType=warehouse_unavailable`);

  rig.heal();
  const bulkAction = await retryAll(linkOf(0), ORDERS);
  await pass(30_000);
  for (const id of ids) await rig.orderStatus(id, 'fulfilling');
  expect(await open(bulkAction)).toContain('<strong>Result:</strong> 50 succeeded.');
  await pass(MINUTE);
  expect(subjects().slice(1)).toEqual(['[Holdfast] Resolved: no more orders parked at shipping']);

  await pass(10 * MINUTE);
  const more = await parkSome(3);
  await pass(MINUTE);
  expect(subjects().slice(2)).toEqual([
    '[Holdfast] 3 orders (€53.40) parked at shipping: the warehouse has not answered since HH:MM',
  ]);
  rig.heal();
  await retryAll(linkOf(2), 3);
  await pass(MINUTE);
  for (const id of more) await rig.orderStatus(id, 'fulfilling');
  expect(subjects()).toHaveLength(4);
  expect(subjects()[3]).toBe('[Holdfast] Resolved: no more orders parked at shipping');

  const posted = webhook.received.map(({ body }): unknown => JSON.parse(body));
  expect(posted).toMatchObject(
    [ORDERS, 0, 3, 0].map((count, index) => ({ type: index % 2 === 0 ? 'alert.opened' : 'alert.resolved', data: { count } })),
  );
  expect(slack.received.map(({ body }): unknown => JSON.parse(body))).toMatchObject([
    { text: expect.stringMatching(/^\*50 orders \(€890\.00\) parked at shipping: .+\*\nEach waits for a decision/) },
    { text: expect.stringMatching(/^\*Resolved: /) },
    { text: expect.stringMatching(/^\*3 orders /) },
    { text: expect.stringMatching(/^\*Resolved: /) },
  ]);
  for (const alerter of alerters) alerter.close();
});
