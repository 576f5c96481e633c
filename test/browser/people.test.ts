import { readFile } from 'node:fs/promises';
import { eq } from 'drizzle-orm';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadPayloadKeys } from '../../src/config.ts';
import { OrderLinks, verificationPath } from '../../src/customer-links.ts';
import { failures, orderEvents, orders, signups, verificationTokens } from '../../src/db/schema.ts';
import { revokeApiKey } from '../../src/operate/api-keys.ts';
import { cancelOrder } from '../../src/operate/orders.ts';
import { insertApiKey } from '../../src/records/api-keys.ts';
import { newToken } from '../../src/records/tokens.ts';
import { newOrder, placeOrder, placeSignup, startTestApi, type TestApi } from '../api/support/api.ts';
import { openFailureOf } from '../support/failures.ts';
import { PAYLOAD_KEYS } from '../support/payloads.ts';
import { accessProblems, isShown, launchBrowser, openPage, signIn } from './support/browser.ts';

const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 780 }, isMobile: true };
const SCHEMES = ['light', 'dark'] as const;

let api: TestApi;
let browser: Browser;
beforeAll(async () => {
  [api, browser] = await Promise.all([startTestApi(), launchBrowser()]);
}, 120_000);
afterAll(async () => {
  await browser.close();
  await api.close();
});

/** Opens a page that nobody has signed in to. It is closed after the work. */
async function visit(options: BrowserContextOptions, work: (page: Page, faults: string[]) => Promise<void>): Promise<void> {
  const { page, context, faults } = await openPage(browser, api.url, options);
  await work(page, faults);
  await context.close();
}

/** Opens a page and signs in. */
const work = (key: string, options: BrowserContextOptions, done: (page: Page, faults: string[]) => Promise<void>) =>
  visit(options, async (page, faults) => {
    await signIn(page, key);
    await done(page, faults);
  });

/** @returns how many px a page is wider than its window */
const overflow = (page: Page): Promise<unknown> => page.evaluate('document.documentElement.scrollWidth - window.innerWidth');

describe('support', { timeout: 60_000 }, () => {
  it('signs in, sees what it may use, and is told what it may not', async () => {
    await work(api.keys.support.key, {}, async (page) => {
      await page.getByText('Signed in as support').waitFor();
      const entries = page.getByRole('navigation', { name: 'Sections' }).getByRole('link');
      expect(await entries.allInnerTexts()).toEqual(['Overview', 'Failures', 'Orders', 'Signups', 'Reports']);
      for (const path of ['/ops/audit', '/ops/schedules', '/ops/bulk-actions']) {
        const response = await page.goto(path);
        expect(response?.status()).toBe(403);
        await page.getByRole('heading', { name: 'Not allowed' }).waitFor();
        expect(await accessProblems(page)).toEqual([]);
      }
    });
  });

  it('cancels one order', async () => {
    const id = await placeOrder(api);
    await work(api.keys.support.key, {}, async (page) => {
      await page.getByRole('searchbox').fill(id.slice(-8));
      await page.getByRole('searchbox').press('Enter');
      await page.getByText('Cancel the order…').click();
      expect(await page.getByText('Restart the order').count()).toBe(0);
      await page.getByLabel('Reason').fill('the customer called');
      await page.getByRole('button', { name: 'Cancel the order' }).click();
      expect(await isShown(page.locator('.flash', { hasText: 'Cancellation requested.' }))).toBe(true);
    });
  });

  it.each([
    ['a desk', {}],
    ['a phone', PHONE],
  ])('finds the buttons where they were after one has unfolded its form, at %s', async (_, options) => {
    const id = await placeOrder(api);
    await api.db.update(orders).set({ status: 'awaiting_approval' }).where(eq(orders.id, id));
    await work(api.keys.support.key, options, async (page) => {
      await page.goto(`/ops/orders/${id}`);
      // Found and measured in one step: an update that arrives in between replaces the buttons.
      const places = () =>
        page
          .locator('main')
          .evaluate((main) => [...main.querySelectorAll('.action summary')].map((button) => JSON.stringify(button.getBoundingClientRect())));
      const before = await places();
      expect(before).toHaveLength(3);
      for (const action of ['Approve', 'Reject', 'Cancel']) {
        const form = page.locator('.action').filter({ has: page.getByText(`${action} the order…`) });
        await form.locator('summary').click();
        await form.getByLabel('Reason').waitFor();
        expect(await places()).toEqual(before);
        expect(await accessProblems(page)).toEqual([]);
        await form.locator('summary').click();
        await form.getByLabel('Reason').waitFor({ state: 'hidden' });
      }
    });
  });

  it('sees in the menu how many failures are open, without a reload', async () => {
    const { failureId } = await openFailureOf(api.db, { orderId: await placeOrder(api), generation: 1 });
    await work(api.keys.support.key, {}, async (page) => {
      await page.goto('/ops/orders');
      const menu = page.getByRole('navigation', { name: 'Sections' });
      await menu.getByRole('link', { name: 'Failures 1 open' }).waitFor();
      await api.db.update(failures).set({ status: 'resolved' }).where(eq(failures.id, failureId));
      expect(await isShown(menu.getByRole('link', { name: 'Failures', exact: true }))).toBe(true);
    });
  });

  it('sees what is new although the API was away for a moment behind its proxy', async () => {
    await work(api.keys.support.key, {}, async (page) => {
      await page.route('**/ops/orders/live*', (route) => route.fulfill({ status: 502 }), { times: 1 });
      const refused = page.waitForResponse((response) => response.status() === 502);
      await page.goto('/ops/orders');
      await refused;
      const id = await placeOrder(api);
      expect(await isShown(page.locator(`a[href="/ops/orders/${id}"]`).first())).toBe(true);
    });
  });

  it('is told that it has signed out', async () => {
    await work(api.keys.support.key, {}, async (page) => {
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByRole('status').filter({ hasText: 'You are signed out.' }).waitFor();
      expect(await accessProblems(page)).toEqual([]);
      await page.reload();
      await page.getByLabel('Your key').waitFor();
      expect(await page.getByText('You are signed out.').count()).toBe(0);
    });
  });

  it('is signed out as soon as its key is revoked', async () => {
    const { id, key } = await insertApiKey(api.db, { name: 'leaving', role: 'support' });
    await work(key, {}, async (page) => {
      await revokeApiKey(api.db, id, { actor: 'test', reason: 'left' });
      await page.goto('/ops/orders');
      expect(await isShown(page.getByRole('heading', { name: 'Operations' }))).toBe(true);
    });
  });
});

describe('the audit', { timeout: 60_000 }, () => {
  it('names people, hides sign-ins, filters, and links to what was acted on', async () => {
    const { id: orderId } = await ordered();
    await cancelOrder.perform(api, orderId, { reason: 'a duplicate' }, `key:${api.keys.support.id}`);
    await work(api.keys.operator.key, {}, async (page, faults) => {
      await page.goto('/ops/audit');
      await page.getByRole('row', { name: /support cancel order.*a duplicate/ }).waitFor();
      expect(await page.getByRole('row', { name: /sign in/ }).count()).toBe(0);
      await page.getByRole('textbox', { name: 'Person' }).fill('an operator');
      await page.getByLabel('Sign-ins').selectOption('shown');
      await page.getByRole('button', { name: 'Search' }).click();
      await page.getByRole('row', { name: /an operator sign in/ }).first().waitFor();
      expect(await page.getByRole('row', { name: /a duplicate/ }).count()).toBe(0);
      await page.goto(`/ops/audit?action=cancel_order&target=${orderId}`);
      expect(await accessProblems(page)).toEqual([]);
      await page.getByRole('row', { name: /a duplicate/ }).getByRole('link').click();
      await page.waitForURL(`**/ops/orders/${orderId}`);
      expect(faults).toEqual([]);
    });
  });
});

describe('a list', { timeout: 60_000 }, () => {
  it('shows new rows by itself, and offers them while rows are selected', async () => {
    await ordered('failed');
    await work(api.keys.operator.key, {}, async (page, faults) => {
      await page.goto('/ops/orders?status=failed');
      const second = await ordered('failed');
      await page.locator(`a[href="/ops/orders/${second.id}"]`).waitFor();
      await page.getByText('2 matching orders', { exact: true }).waitFor();
      // The new rows can be selected, too.
      await page.getByLabel('This page').check();
      await page.getByText('2 selected').waitFor();
      const third = await ordered('failed');
      await page.getByRole('link', { name: 'Show the changes' }).waitFor();
      expect(await page.locator(`a[href="/ops/orders/${third.id}"]`).count()).toBe(0);
      expect(await page.locator('input[name="ids"]:checked').count()).toBe(2);
      expect(await accessProblems(page)).toEqual([]);
      await page.getByRole('link', { name: 'Show the changes' }).click();
      await page.locator(`a[href="/ops/orders/${third.id}"]`).waitFor();
      expect(faults).toEqual([]);
    });
  });

  it('shows times in the time zone of the reader, and copies ids', async () => {
    const { id } = await ordered();
    const options = { timezoneId: 'Asia/Tokyo', permissions: ['clipboard-read', 'clipboard-write'] };
    await work(api.keys.operator.key, options, async (page) => {
      await api.db.update(orders).set({ createdAt: new Date('2026-11-24T20:15:00Z') }).where(eq(orders.id, id));
      await page.goto(`/ops/orders/${id}`);
      await page.getByText('Times are local (Asia/Tokyo).').waitFor();
      expect(await page.locator('time[datetime="2026-11-24T20:15:00.000Z"]').first().innerText()).toBe('2026-11-25 05:15:00');
      await page.getByRole('button', { name: `Copy the id ${id}` }).click();
      // The page writes while the test reads.
      await expect.poll(() => page.evaluate('navigator.clipboard.readText()')).toBe(id);
      expect(await accessProblems(page)).toEqual([]);
    });
  });

  it('takes times in the zone in which it shows them', async () => {
    const { id } = await ordered();
    await api.db.insert(orderEvents).values({ orderId: id, generation: 1, status: 'accepted', at: new Date('2026-11-24T20:15:00Z') });
    await work(api.keys.operator.key, { timezoneId: 'Asia/Tokyo' }, async (page) => {
      await page.goto(`/ops/orders?id=${id}`);
      await page.getByText('More filters').click();
      await page.getByLabel('From (local time)').fill('2026-11-25T05:00');
      await page.getByLabel('Before (local time)').fill('2026-11-25T05:30');
      await page.getByRole('button', { name: 'Search' }).click();
      await page.waitForURL('**/ops/orders?*from=2026-11-24T20%3A00*');
      await page.getByText('1 matching order', { exact: true }).waitFor();
      expect(await page.getByLabel('From (local time)').inputValue()).toBe('2026-11-25T05:00');
      expect(await page.getByLabel('Before (local time)').inputValue()).toBe('2026-11-25T05:30');
      expect(await accessProblems(page)).toEqual([]);
    });
  });

  it('is a file with the filtered rows, in which no text is a formula', async () => {
    const formula = { ...newOrder(), customer: { email: 'formula@example.com', name: '=1+1' } };
    const id = await placeOrder(api, formula);
    await work(api.keys.operator.key, {}, async (page) => {
      await page.goto('/ops/orders?email=formula@example.com');
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download as CSV' }).click()]);
      expect(download.suggestedFilename()).toBe('orders.csv');
      const lines = (await readFile(await download.path(), 'utf8')).split('\r\n');
      expect(lines[0]).toBe('\uFEFFOrder,Customer,Email,Amount,Currency,Placed,Last change,Status,Error');
      expect(lines.slice(1)).toEqual([expect.stringMatching(new RegExp(`^${id},'=1\\+1,formula@example.com,36.8,EUR,`)), '']);
    });
  });

  it('says what a parked order is parked on, and how old a failure is and what it is about', async () => {
    const { id } = await ordered('needs_attention');
    await openFailureOf(api.db, { orderId: id, generation: 1 });
    await work(api.keys.operator.key, {}, async (page) => {
      await page.goto(`/ops/orders?id=${id}`);
      await page.getByRole('row', { name: /Needs attention warehouse unavailable/ }).waitFor();
      await page.goto(`/ops/failures?orderId=${id}`);
      expect(await isShown(page.getByRole('row', { name: /€36.80 just now|€36.80 .* ago/ }))).toBe(true);
    });
  });

  it('works without JavaScript: times are UTC, and nothing is shown that would do nothing', async () => {
    const { id } = await ordered();
    await work(api.keys.operator.key, { javaScriptEnabled: false, timezoneId: 'Asia/Tokyo' }, async (page) => {
      await page.goto(`/ops/orders/${id}`);
      await page.getByText('Times are UTC.').waitFor();
      expect(await page.locator('button.copy:visible').count()).toBe(0);
      await page.goto('/ops/audit');
      await page.getByLabel('From (UTC)').waitFor();
    });
  });
});

describe('on a phone', { timeout: 60_000 }, () => {
  it('the menu shows all entries, and no page is too wide', async () => {
    await work(api.keys.operator.key, PHONE, async (page) => {
      for (const path of ['/ops', '/ops/failures', '/ops/orders', '/ops/audit']) {
        await page.goto(path);
        expect({ path, overflow: await overflow(page) }).toEqual({ path, overflow: 0 });
        await page.getByRole('button', { name: 'Menu' }).click();
        const entries = page.getByRole('navigation', { name: 'Sections' }).getByRole('link');
        expect(await entries.count()).toBe(9);
        for (const entry of await entries.all()) {
          const box = await entry.boundingBox();
          expect(box?.x).toBeGreaterThanOrEqual(0);
          expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(390);
          expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(780);
        }
        expect(await accessProblems(page)).toEqual([]);
      }
      await page.getByRole('link', { name: 'Reports' }).click();
      expect(await isShown(page.getByRole('heading', { name: 'Reports' }))).toBe(true);
    });
  });
});

describe('the page of a customer', { timeout: 60_000 }, () => {
  it('shows the order and cancels it, without JavaScript, and looks well everywhere', async () => {
    const { id, link } = await ordered();
    for (const colorScheme of SCHEMES) {
      await visit({ ...PHONE, colorScheme }, async (page, faults) => {
        await page.goto(link);
        await page.getByText('We have received your order.').waitFor();
        await page.getByText('Cancel this order…').click();
        expect(await overflow(page)).toBe(0);
        expect(await accessProblems(page)).toEqual([]);
        expect(faults).toEqual([]);
      });
    }
    await visit({ javaScriptEnabled: false }, async (page) => {
      await page.goto(link);
      await page.getByText('Cancel this order…').click();
      await page.getByRole('button', { name: 'Cancel the order' }).click();
      await page.getByText('A cancellation was requested.').waitFor();
      expect(page.url()).toBe(`${api.url}${link}`);
    });
    const [order] = await api.db.select().from(orders).where(eq(orders.id, id));
    expect(order?.cancellationActor).toBe('customer');
  });

  it('verifies an address with one press', async () => {
    const signupId = await placeSignup(api, 'browser@example.com');
    const { token, hash } = newToken();
    await api.db.insert(verificationTokens).values({ hash, signupId });
    await visit({ javaScriptEnabled: true }, async (page, faults) => {
      await page.goto(verificationPath(signupId, token));
      expect(await accessProblems(page)).toEqual([]);
      await page.getByRole('button', { name: 'Verify my address' }).click();
      await page.getByRole('heading', { name: 'Your address is verified' }).waitFor();
      expect(faults).toEqual([]);
    });
    const [signup] = await api.db.select().from(signups).where(eq(signups.id, signupId));
    expect(signup?.status).toBe('verified');
  });

  it('says plainly that a link is wrong', async () => {
    const { link } = await ordered();
    await visit({}, async (page) => {
      const response = await page.goto(`${link}A`);
      expect(response?.status()).toBe(404);
      await page.getByRole('heading', { name: 'This link does not work' }).waitFor();
      expect(await accessProblems(page)).toEqual([]);
    });
  });
});

describe('the API reference', { timeout: 120_000 }, () => {
  it.each(SCHEMES)('fits a phone, and is %s if the reader prefers that', async (colorScheme) => {
    await visit({ ...PHONE, colorScheme }, async (page, faults) => {
      await page.goto('/docs');
      // The viewer is large.
      await page.getByText('Place an order').first().waitFor({ timeout: 60_000 });
      expect(await overflow(page)).toBe(0);
      const dark = await page.evaluate('document.documentElement.classList.contains("dark-mode")');
      expect(dark).toBe(colorScheme === 'dark');
      expect(faults).toEqual([]);
    });
  });
});

const links = new OrderLinks('', loadPayloadKeys({ PAYLOAD_KEYS }));

/** Places an order. @returns its id, and the link to its customer's page */
async function ordered(status?: typeof orders.$inferSelect.status): Promise<{ id: string; link: string }> {
  const id = await placeOrder(api);
  if (status) await api.db.update(orders).set({ status }).where(eq(orders.id, id));
  return { id, link: links.to(id) ?? '' };
}
