import { eq } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { absolute } from '../../src/console/kit/format.tsx';
import { openSession } from '../../src/console/sign-in/sessions.ts';
import { failures, serviceProbes, workers } from '../../src/db/schema.ts';
import { insertApiKey } from '../../src/records/api-keys.ts';
import { openFailureOf } from '../support/failures.ts';
import { useShop } from '../support/shop.ts';
import { createTestPages, ORIGIN } from './support/pages.ts';

const shop = await useShop();
const { db } = shop;
const app = createTestPages(shop);
const signIn = async (role: 'operator' | 'support') => {
  const { id: keyId, key } = await insertApiKey(db, { name: role, role });
  return `holdfast_session=${await openSession(db, { keyId, role }, key)}`;
};
const operator = await signIn('operator');

const get = async (path: string, cookie = operator) => (await app.request(`${ORIGIN}${path}`, { headers: { Cookie: cookie } })).text();
/** What a page shows, without its tags. */
const readText = async (path: string) => (await get(path)).replaceAll(/<[^>]*>/g, '').replaceAll(/\s+/g, ' ');

const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000);
const probed = async (row: Omit<typeof serviceProbes.$inferInsert, 'service' | 'nextProbeAt'>) => {
  await db.delete(serviceProbes);
  await db.insert(serviceProbes).values({ service: 'payment', nextProbeAt: new Date(), ...row });
};

describe('a group of failures whose service is to blame', () => {
  /** The pages of a group, and then that of one failure. */
  const groups = ['/ops', '/ops/failures?status=open&errorType=payment_unavailable'];
  const pages = [...groups];
  const RETRY = 'href="/ops/bulk-actions/new?action=retry&amp;scope=all&amp;';

  beforeAll(async () => {
    const { failureId } = await openFailureOf(db, await shop.placeOrder(), { step: 'charge', errorType: 'payment_unavailable' });
    pages.push(`/ops/failures/${failureId}`);
    await db.update(failures).set({ firstSeenAt: ago(30), lastSeenAt: ago(20) }).where(eq(failures.id, failureId));
  });

  it('says that the service is failing, with its error and its last success, and offers no retry', async () => {
    const lastSuccessAt = ago(40);
    await probed({ lastSuccessAt, lastFailureAt: new Date(), lastError: 'HTTP 503' });
    for (const path of pages) {
      expect(await readText(path)).toContain(`The payment provider is failing: HTTP 503. Last success: ${absolute(lastSuccessAt)}.`);
    }
    for (const path of groups) expect(await get(path)).not.toContain(RETRY);
  });

  it('says since when the service answers again, with the retry beside it', async () => {
    const answeringSince = ago(10);
    await probed({ lastSuccessAt: new Date(), answeringSince, lastFailureAt: ago(11), lastError: 'HTTP 503' });
    for (const path of pages) {
      expect(await readText(path)).toContain(`The payment provider has answered again since ${absolute(answeringSince)}.`);
    }
    for (const path of groups) expect(await get(path)).toContain(RETRY);
  });

  it('offers support no retry in bulk', async () => {
    const support = await signIn('support');
    for (const path of groups) {
      const page = await get(path, support);
      expect(page).toContain('has answered again since');
      expect(page).not.toContain(RETRY);
    }
  });

  it('says that one has failed since then', async () => {
    await probed({ lastSuccessAt: new Date(), answeringSince: ago(25), lastFailureAt: ago(26), lastError: 'HTTP 503' });
    for (const path of pages) expect(await readText(path)).toContain(', but one of these failed at ');
  });

  it('does not claim a recovery where no probe has failed', async () => {
    await probed({ lastSuccessAt: new Date(), answeringSince: ago(60) });
    for (const path of pages) expect(await readText(path)).toContain('The payment provider answers; probed');
  });

  it('counts only what can be retried in bulk, and offers nothing where nothing can', async () => {
    await openFailureOf(db, await shop.placeOrder(), { kind: 'refund', step: 'charge', errorType: 'payment_unavailable' });
    const [all, refunds] = [groups[1] ?? '', `${groups[1]}&kind=refund`];
    expect(await readText(all)).toContain('2 matching failures');
    expect(await readText(all)).toContain('Retry it…');
    expect(await readText(refunds)).toContain('The payment provider answers');
    expect(await get(refunds)).not.toContain(RETRY);
    expect((await get('/ops')).split(RETRY)).toHaveLength(2);
  });

  it('does not know while nobody probes', async () => {
    await probed({ lastSuccessAt: ago(2), answeringSince: ago(10), lastFailureAt: ago(11), lastError: 'HTTP 503' });
    for (const path of pages) {
      expect(await readText(path)).toContain('It is not known whether the payment provider answers: no worker has probed it lately.');
    }
    for (const path of groups) expect(await get(path)).not.toContain(RETRY);
  });

  it('is not made of failures that have another cause', async () => {
    await openFailureOf(db, await shop.placeOrder(), { step: 'charge', errorType: 'invalid_request' });
    expect(await readText('/ops/failures?status=open&errorType=invalid_request')).not.toContain('The payment provider');
  });
});

it('lists the workers with host, version and queues, also those that are gone', async () => {
  expect(await get('/ops')).toContain('No worker is running.');
  await db.insert(workers).values([
    { identity: '1@alive', host: 'alive', version: '1.2.3', queues: ['orders', 'email'] },
    { identity: '1@killed', host: 'killed', version: '1.2.2', queues: ['orders'], lastSeenAt: new Date(Date.now() - 71_000) },
  ]);
  const rows = (await get('/ops')).split('<tr>').filter((row) => row.includes('1@'));
  expect(rows).toEqual([
    expect.stringMatching(/1@alive.*alive.*1\.2\.3.*orders, email.*Not checked/s),
    expect.stringMatching(/1@killed.*killed.*1\.2\.2.*orders.*Gone/s),
  ]);
});
