import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orderEvents } from '../../src/db/schema.ts';
import { openFailureOf } from '../support/failures.ts';
import { accessProblems, isShown, launchBrowser, openPage, signIn } from './support/browser.ts';
import { startStack, type Stack } from './support/stack.ts';

let stack: Stack;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  [stack, browser] = await Promise.all([startStack(), launchBrowser()]);
  // Nothing may change between a chart and its list.
  await stack.killWorker();
  const { shop, db } = stack;
  for (let index = 0; index < 3; index += 1) {
    const ref = await shop.placeOrder();
    await db.insert(orderEvents).values({ ...ref, status: 'charged' });
    await openFailureOf(db, ref);
  }
  ({ page } = await openPage(browser, stack.url));
  await signIn(page, stack.keys.operator.key);
}, 180_000);
afterAll(async () => {
  await browser.close();
  await stack.close();
});

/** Follows the latest bars of a chart. @returns for each, how many it says that it counts, and the rows of the list that it leads to */
async function followBars(chart: string): Promise<{ counted: number; rows: number }[]> {
  await page.goto('/ops?span=day');
  const bars = page.locator('.chart', { hasText: chart }).getByRole('link');
  const names = await bars.evaluateAll((links) => links.slice(-6).map((link) => link.getAttribute('aria-label') ?? ''));
  const followed: { counted: number; rows: number }[] = [];
  for (const name of names) {
    await page.getByRole('link', { name, exact: true }).click();
    await page.waitForURL(/from=/);
    followed.push({ counted: Number(/: (\d+)$/.exec(name)?.[1]), rows: await page.locator('tbody tr').count() });
    await page.goto('/ops?span=day');
  }
  return followed;
}

const total = (followed: { counted: number }[]) => followed.reduce((sum, { counted }) => sum + counted, 0);

describe('the charts of the overview', { timeout: 180_000 }, () => {
  it.each(['Orders started', 'Orders completed', 'Failures opened'])('%s: each bar leads to exactly the rows that it counts', async (chart) => {
    const followed = await followBars(chart);
    expect(total(followed)).toBeGreaterThan(1);
    for (const { counted, rows } of followed) expect(rows).toBe(counted);
  });

  it('lead to lists that are as accessible as the overview', async () => {
    await page.goto('/ops?span=day');
    expect(await accessProblems(page)).toEqual([]);
    await page.locator('.chart', { hasText: 'Orders completed' }).getByRole('link').first().click();
    await page.getByText('matching order').waitFor();
    expect(await accessProblems(page)).toEqual([]);
  });

  it('stand above the latency of orders', async () => {
    await page.goto('/ops');
    expect(await isShown(page.getByText('p50 · p95 from accepted to charged (3 orders, last day)'))).toBe(true);
    expect(await isShown(page.getByText('p50 · p95 from accepted to shipped'))).toBe(true);
  });
});
