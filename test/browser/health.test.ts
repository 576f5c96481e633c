import { eq, sql } from 'drizzle-orm';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serviceProbes, workers } from '../../src/db/schema.ts';
import { accessProblems, isShown, launchBrowser, openPage, signIn } from './support/browser.ts';
import { startStack, type Stack } from './support/stack.ts';
import { openFailure, orderIs } from './support/trouble.ts';

let stack: Stack;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  [stack, browser] = await Promise.all([startStack(), launchBrowser()]);
  ({ page } = await openPage(browser, stack.url));
  // The worker probes every 15 seconds, and an order is parked after as long.
  page.setDefaultTimeout(60_000);
  await signIn(page, stack.keys.operator.key);
}, 180_000);
afterAll(async () => {
  await browser.close();
  await stack.close();
});

const row = (table: string, text: string) => page.getByRole('region', { name: table }).getByRole('row').filter({ hasText: text });

// One outage, from start to end: each test continues where the last one stopped.
describe('the health of the shop', { timeout: 180_000 }, () => {
  let orderId: string;

  it('shows services that answer, and the worker', async () => {
    for (const service of ['Mail server', 'Payment provider', 'Warehouse']) await row('Outside services', service).getByText('OK').waitFor();
    await row('Workers', 'orders, email, operations').getByText('OK').waitFor();
    expect(await accessProblems(page)).toEqual([]);
  });

  it('shows that the warehouse fails, at the parked order too', async () => {
    stack.shop.warehouse.faults.set({ mode: 'error_before' });
    ({ orderId } = await stack.shop.placeOrder());
    await orderIs(stack, orderId, 'needs_attention');
    // From the live stream: the page was not reloaded.
    await page.locator('.attention').getByText('The warehouse is failing: HTTP 500.').waitFor();
    await row('Outside services', 'Warehouse').getByText('Failing').waitFor();
    expect(await page.getByRole('link', { name: 'Retry it…' }).count()).toBe(0);
    expect(await accessProblems(page)).toEqual([]);
  });

  it('says since when the warehouse answers again, and retries what waited for it', async () => {
    stack.shop.warehouse.faults.clear();
    await page.locator('.attention').getByText(/The warehouse has answered again since/).waitFor();
    expect(await accessProblems(page)).toEqual([]);
    await page.goto(`/ops/failures/${await openFailure(stack, orderId, 'step')}`);
    await page.getByText(/The warehouse has answered again since/).waitFor();
    expect(await isShown(page.locator('summary', { hasText: /^Retry/ }).first())).toBe(true);

    await page.goto('/ops/failures?status=open&kind=step&step=ship&errorType=warehouse_unavailable');
    await page.getByText(/The warehouse has answered again since/).waitFor();
    expect(await accessProblems(page)).toEqual([]);
    await page.getByRole('link', { name: 'Retry it…' }).click();
    await page.getByText('1 will be retried').waitFor();
    await page.getByLabel('Reason').fill('the warehouse is back');
    await page.getByRole('button', { name: 'Retry 1 failure' }).click();
    await orderIs(stack, orderId, 'completed');
  });

  it('shows a killed worker as gone, and old probes as old', async () => {
    await page.goto('/ops');
    await stack.killWorker();
    await stack.db.update(workers).set({ lastSeenAt: sql`now() - interval '71 seconds'` });
    await stack.db.update(serviceProbes).set({ lastSuccessAt: sql`now() - interval '71 seconds'` }).where(eq(serviceProbes.service, 'email'));
    await row('Workers', 'orders, email, operations').getByText('Gone').waitFor();
    await row('Outside services', 'Mail server').getByText('Not checked').waitFor();
    expect(await accessProblems(page)).toEqual([]);
    await stack.restartWorker();
    await row('Workers', 'orders, email, operations').getByText('OK').waitFor();
    await row('Outside services', 'Mail server').getByText('OK').waitFor();
  });
});
