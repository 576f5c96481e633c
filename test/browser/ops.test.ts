import { eq } from 'drizzle-orm';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failureEvents, failures, operatorActions, orders, weeklyReports } from '../../src/db/schema.ts';
import { revokeApiKey } from '../../src/operate/api-keys.ts';
import { accessProblems, isShown, launchBrowser, openPage, signIn } from './support/browser.ts';
import { capturePages, TAKES_PICTURES } from './support/screenshots.ts';
import { startStack, type Stack } from './support/stack.ts';
import { ADAS_ORDERS, makeTrouble, openFailure, orderIs } from './support/trouble.ts';

let stack: Stack;
let browser: Browser;
let page: Page;
let faults: string[];
let trouble: Awaited<ReturnType<typeof makeTrouble>>;
let bulkActionId: string;

beforeAll(async () => {
  [stack, browser] = await Promise.all([startStack(), launchBrowser()]);
  trouble = await makeTrouble(stack);
  ({ page, faults } = await openPage(browser, stack.url));
}, 180_000);
afterAll(async () => {
  await browser.close();
  await stack.close();
});

/** Unfolds the form of an action, fills it in, and sends it. */
async function act(label: string, fields: Record<string, string>): Promise<void> {
  const action = page.locator('details.action').filter({ has: page.locator('summary', { hasText: new RegExp(`^${label}…$`) }) });
  await action.locator('summary').click();
  for (const [field, text] of Object.entries(fields)) await action.getByLabel(field).fill(text);
  await action.getByRole('button').click();
}

const flash = (text: string) => page.locator('.flash').filter({ hasText: text });
const said = (text: string) => flash(text).waitFor();

// One night, from start to end: each test continues where the last one stopped.
describe("the operator's page", { timeout: 120_000 }, () => {
  it('lets in staff only, and takes them where they wanted to go', async () => {
    await page.goto('/ops/failures?kind=step');
    await page.getByRole('heading', { name: 'Operations' }).waitFor();
    expect(await accessProblems(page)).toEqual([]);
    for (const key of ['hf_nothing', stack.keys.customer.key]) {
      await page.getByLabel('Your key').fill(key);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('alert').filter({ hasText: 'That key is unknown, revoked or expired, or is a customer’s.' }).waitFor();
    }
    await page.getByLabel('Your key').fill(stack.keys.operator.key);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Failures', exact: true }).waitFor();
    expect(page.url()).toContain('kind=step');
    const cookies = await page.context().cookies();
    expect(cookies.map(({ path }) => path).toSorted()).toEqual(['/codec', '/ops']);
    for (const cookie of cookies) expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
    // The browser reports the 401s that we caused on purpose.
    expect(faults.splice(0).filter((fault) => !fault.includes('401'))).toEqual([]);
  });

  it('shows on the overview what needs attention', async () => {
    await page.goto('/ops');
    await page.getByRole('link', { name: /29 parked orders: ship/ }).waitFor();
    await page.getByRole('link', { name: /1 order waiting for approval/ }).waitFor();
    expect(await isShown(page.getByRole('region', { name: 'Task queues' }).getByText('operations'))).toBe(true);
  });

  it.runIf(TAKES_PICTURES)('takes pictures during the trouble', async () => {
    const paths = await troubledPages();
    expect(await capturePages(browser, stack, paths)).toBe(3 * (1 + paths.length));
  });

  it('opens what the search box of every page finds', async () => {
    const search = page.getByRole('searchbox', { name: 'Search by id, number or email' });
    await search.fill(trouble.inspected.slice(-8));
    await search.press('Enter');
    await page.waitForURL(`**/ops/orders/${trouble.inspected}`);
    await search.fill('nobody@example.com');
    await search.press('Enter');
    await page.getByText('Nothing found.').waitFor();
    expect(await search.inputValue()).toBe('nobody@example.com');
    expect(await accessProblems(page)).toEqual([]);
  });

  it('finds a failure, and shows what happened to it', async () => {
    await page.goto('/ops/failures');
    await page.getByText('More filters').click();
    await page.getByLabel('Order', { exact: true }).fill(trouble.inspected);
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByText('1 matching failure', { exact: true }).waitFor();
    await page.getByRole('row').getByRole('link', { name: 'Step: ship' }).click();
    await page.getByRole('heading', { name: 'Step: ship' }).waitFor();
    await page.getByText('warehouse unavailable').first().waitFor();
    await page.getByRole('link', { name: /^order/ }).click();
    await page.getByText('Why is it waiting?').waitFor();
    expect(await isShown(page.getByText('€89.00 captured'))).toBe(true);
  });

  it('shows where the time of an order went, and unfolds every attempt of a step, also on a phone', async () => {
    await page.goto(`/ops/orders/${trouble.inspected}`);
    const step = page.locator('#time-now details').filter({ has: page.locator('.name', { hasText: /^ship$/ }) });
    await step.getByRole('img', { name: /^ship: .* working, .* retrying, .* waiting$/ }).waitFor();
    await page.setViewportSize({ width: 390, height: 844 });
    await step.locator('summary').click();
    for (const attempt of ['Attempt 1 failed', 'Attempt 4 failed', 'Retries used up, last attempt 4']) {
      expect(await isShown(step.getByText(attempt))).toBe(true);
    }
    expect(await page.evaluate(`document.documentElement.scrollWidth`)).toBe(390);
    await page.setViewportSize({ width: 1280, height: 900 });
    expect(await isShown(page.locator('#story-now').getByText('Step "ship": attempt 4 failed'))).toBe(true);
  });

  it('cancels one order, which undoes its steps', async () => {
    await page.goto(`/ops/failures/${await openFailure(stack, trouble.cancelled, 'step')}`);
    await act('Cancel the order', { Reason: 'the customer cannot wait' });
    await said('Cancellation requested.');
    await orderIs(stack, trouble.cancelled, 'cancelled');
    // From the live stream: the page was not reloaded.
    expect(await isShown(page.locator('#facts').getByText('cancelled'))).toBe(true);
    await page.goto(`/ops/orders/${trouble.cancelled}`);
    expect(await isShown(page.getByText('Cancellation done', { exact: true }))).toBe(true);
    expect(await isShown(page.getByText('The run has ended. Temporal shows it as failed.'))).toBe(true);
    expect(await isShown(page.locator('#standing').getByText('the customer cannot wait').first())).toBe(true);
  });

  it('settles a compensation that keeps failing', async () => {
    stack.shop.payments.faults.set({ mode: 'error_before', operation: 'POST /v1/refunds' });
    await page.goto(`/ops/failures/${await openFailure(stack, trouble.unrefundable, 'step')}`);
    await act('Cancel the order', { Reason: 'the customer cannot wait' });
    await said('Cancellation requested.');
    const compensation = await openFailure(stack, trouble.unrefundable, 'compensation');
    await page.goto(`/ops/failures/${compensation}`);
    await act('Settle by hand', { 'What was done outside': 'paid back by bank transfer' });
    await said('Settlement requested.');
    await orderIs(stack, trouble.unrefundable, 'cancelled');
    expect(await isShown(page.locator('#facts').getByText('settled'))).toBe(true);
    stack.shop.payments.faults.clear();
  });

  it('dry-runs a selection, asks for the count, and shows the bulk action live to its end', async () => {
    stack.shop.warehouse.faults.clear();
    await page.goto('/ops/failures?customerEmail=ADA@example.com');
    const retry = page.getByRole('button', { name: 'Dry-run a retry' });
    expect(await retry.isDisabled()).toBe(true);
    await page.getByLabel('This page').check();
    await page.getByText(`${ADAS_ORDERS} selected`).waitFor();
    await retry.click();

    await page.getByText(`${ADAS_ORDERS} will be retried`).waitFor();
    // 24 × 2 × 8.90
    await page.getByText('€427.20 worth of orders').waitFor();
    expect(await accessProblems(page)).toEqual([]);
    const csrf = await page.locator('form.panel input[name="csrf"]').inputValue();
    const ids = await page.locator('input[name="ids"]').evaluateAll((inputs) => inputs.map((input) => input.getAttribute('value')));
    const untyped = new URLSearchParams({ csrf, action: 'retry', reason: 'a slip', ratePerSecond: '5', confirm: '3' });
    for (const id of ids) untyped.append('ids', id ?? '');
    const refused = await page.request.post('/ops/bulk-actions', {
      data: untyped.toString(),
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: stack.url },
    });
    expect(refused.status()).toBe(422);
    expect(await refused.text()).toContain(`type the count to confirm. It is ${ADAS_ORDERS} now.`);

    await page.getByLabel('Reason').fill('the warehouse is back');
    await page.getByLabel('Maximum rate (per second)').fill('5');
    await page.getByLabel(`Type ${ADAS_ORDERS} to confirm`).fill(String(ADAS_ORDERS));
    await page.getByRole('button', { name: `Retry ${ADAS_ORDERS} failures` }).click();

    await said('Retry started.');
    bulkActionId = page.url().split('/').at(-1) ?? '';
    await page.locator('#progress').getByText(`${ADAS_ORDERS} succeeded`, { exact: true }).waitFor({ timeout: 60_000 });
    await page.locator('#progress').getByText('completed').waitFor();
    expect(await isShown(page.locator('#items-now .status.good').filter({ hasText: 'Succeeded' }).first())).toBe(true);
    await page.getByRole('status').filter({ hasText: '100 % done' }).waitFor({ state: 'attached' });
    expect(await stack.db.$count(failures, eq(failures.bulkActionId, bulkActionId))).toBe(ADAS_ORDERS);
  });

  it('works without JavaScript, and restarts the orders that failed', async () => {
    const { context } = await openPage(browser, stack.url, { javaScriptEnabled: false });
    const plain = await context.newPage();
    await signIn(plain, stack.keys.operator.key);
    await plain.goto('/ops/bulk-actions/new?action=restart&scope=all');
    await plain.getByLabel('Reason').fill('cards were topped up');
    await plain.getByRole('button', { name: 'Restart 2 orders' }).click();
    await plain.locator('.flash').filter({ hasText: 'Restart started.' }).waitFor();
    // Their cards are declined again, in their second generation.
    await expect.poll(() => stack.db.$count(orders, eq(orders.generation, 2)), { timeout: 30_000 }).toBe(2);
    await expect.poll(() => stack.db.$count(orders, eq(orders.status, 'failed')), { timeout: 30_000 }).toBe(2);
    await context.close();
  });

  it('approves an order that is waiting for approval', async () => {
    await page.goto(`/ops/orders/${trouble.large}`);
    await act('Approve the order', { Reason: 'known customer' });
    await said('Approved.');
    await orderIs(stack, trouble.large, 'completed');
    expect(await isShown(page.locator('#standing').getByText('completed'))).toBe(true);
  });

  it('backfills a weekly report and shows it', async () => {
    const monday = new Date();
    // That of last week: today may be a Monday, before the hour of the report.
    monday.setUTCDate(monday.getUTCDate() - ((monday.getUTCDay() + 6) % 7) - 7);
    const day = monday.toISOString().slice(0, 10);
    await page.goto('/ops/schedules');
    const schedule = page.getByRole('region', { name: 'weekly report' });
    await schedule.getByText('Backfill…').click();
    await schedule.getByLabel('From (local time)').fill(`${day}T00:00`);
    await schedule.getByLabel('To (local time)').fill(`${day}T23:00`);
    await schedule.getByRole('button', { name: 'Dry-run the backfill' }).click();
    await page.getByText('1 run will be started').waitFor();
    await page.getByLabel('Reason').fill('the report of that week is missing');
    await page.getByRole('button', { name: 'Start 1 run' }).click();
    await said('Backfill started.');
    await expect.poll(() => stack.db.$count(weeklyReports), { timeout: 30_000 }).toBe(1);
    await page.goto('/ops/reports');
    await page.getByRole('link', { name: /^\d{4}-W\d\d$/ }).click();
    expect(await isShown(page.getByRole('img', { name: /Orders per day/ }))).toBe(true);
  });

  it('pauses and resumes a schedule, with a note', async () => {
    await page.goto('/ops/schedules');
    const prune = page.getByRole('region', { name: 'prune' });
    await prune.getByText('Pause…').click();
    await prune.getByLabel('Reason').first().fill('looking into something');
    await prune.getByRole('button', { name: 'Pause' }).click();
    await said('Paused. It starts no runs until it is resumed.');
    await prune.getByText('looking into something').waitFor();
    await prune.getByText('Resume…').click();
    await prune.getByLabel('Reason').first().fill('done looking');
    await prune.getByRole('button', { name: 'Resume' }).click();
    expect(await isShown(flash('Resumed.'))).toBe(true);
  });

  it('records who did what and why', async () => {
    const actor = `key:${stack.keys.operator.id}`;
    const actions = await stack.db.select().from(operatorActions).where(eq(operatorActions.actor, actor));
    expect(new Set(actions.map(({ action }) => action))).toEqual(
      new Set([
        'sign_in',
        'cancel_failure',
        'settle_failure',
        'bulk_retry',
        'retry_failure',
        'bulk_restart',
        'restart_order',
        'approve_order',
        'backfill_schedule',
        'pause_schedule',
        'resume_schedule',
      ]),
    );
    const events = await stack.db.select().from(failureEvents).where(eq(failureEvents.actor, actor));
    expect(events).toContainEqual(expect.objectContaining({ type: 'settlement_requested', reason: 'paid back by bank transfer' }));
    await page.goto('/ops/audit');
    await page.getByRole('row', { name: /bulk retry.*the warehouse is back/ }).waitFor();
  });

  it('refuses a form that is not from the session', async () => {
    const response = await page.request.post(`/ops/orders/${trouble.inspected}/cancel`, {
      form: { csrf: 'guessed', reason: 'a trick' },
      headers: { Origin: stack.url },
    });
    expect(response.status()).toBe(403);
    const elsewhere = await page.request.post('/ops/sign-out', { form: {}, headers: { Origin: 'https://evil.example' } });
    expect(elsewhere.status()).toBe(403);
    const [order] = await stack.db.select().from(orders).where(eq(orders.id, trouble.inspected));
    expect(order?.cancellationReason).toBeNull();
  });

  // It is the longest by far: each of many pages, twice.
  it('is accessible on every page', { timeout: 400_000 }, async () => {
    const paths = [...(await troubledPages()), ...(await fixedPages())];
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const path of paths) {
        await page.goto(path);
        await page.evaluate(`for (const folded of document.querySelectorAll('details')) folded.open = true`);
        expect(await accessProblems(page)).toEqual([]);
      }
    }
  });

  it('logs no error and contacts no other host', () => {
    expect(faults).toEqual([]);
  });

  it.runIf(TAKES_PICTURES)('takes pictures once all is fixed', async () => {
    const paths = await fixedPages();
    expect(await capturePages(browser, stack, paths)).toBe(3 * (1 + paths.length));
  });

  it('signs out, which ends the session', async () => {
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Operations' }).waitFor();
    await page.goto('/ops/failures');
    expect(await isShown(page.getByRole('heading', { name: 'Operations' }))).toBe(true);
  });

  it('ends the session when its key is revoked', async () => {
    await signIn(page, stack.keys.operator.key);
    await revokeApiKey(stack.db, stack.keys.operator.id, { actor: 'test', reason: 'lost' });
    await page.goto('/ops/failures');
    expect(await isShown(page.getByRole('heading', { name: 'Operations' }))).toBe(true);
  });
});

/** The pages to look at during the trouble. */
async function troubledPages(): Promise<string[]> {
  return [
    '/ops',
    '/ops?span=day',
    '/ops/failures',
    `/ops/failures/${await openFailure(stack, trouble.inspected, 'step')}`,
    '/ops/bulk-actions/new?action=retry&scope=all&status=open',
    '/ops/orders',
    '/ops/orders?status=failed',
    `/ops/orders/${trouble.inspected}`,
    '/ops/signups',
    `/ops/signups/${trouble.signupId}`,
  ];
}

/** The pages to look at once all is fixed. */
async function fixedPages(): Promise<string[]> {
  const [report] = await stack.db.select({ week: weeklyReports.week }).from(weeklyReports);
  return [
    '/ops/bulk-actions',
    `/ops/bulk-actions/${bulkActionId}`,
    '/ops/books',
    '/ops/schedules',
    '/ops/reports',
    `/ops/reports/${report?.week}`,
    '/ops/audit',
  ];
}
