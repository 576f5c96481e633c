import type { Browser, Page } from 'playwright-core';
import { z } from 'zod';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { setFault } from '../../src/sandbox/fault-panels.ts';
import { startEmbeddedStack, type EmbeddedStack } from '../support/embedded-stack.ts';
import { statusAs } from '../support/host-header.ts';
import { accessProblems, isShown, launchBrowser, openPage } from './support/browser.ts';
import { capture, TAKES_PICTURES } from './support/screenshots.ts';

let stack: EmbeddedStack;
let browser: Browser;
let page: Page;
let faults: string[];

beforeAll(async () => {
  [stack, browser] = await Promise.all([startEmbeddedStack({ WAREHOUSE_SHIP_AFTER: '500ms', WAREHOUSE_DELIVER_AFTER: '500ms' }), launchBrowser()]);
  ({ page, faults } = await openPage(browser, stack.url));
  // A step is parked after its retries, which take 15 s.
  page.setDefaultTimeout(90_000);
}, 300_000);
afterAll(async () => {
  await browser.close();
  await stack.close();
});
beforeEach(() => page.goto('/'));

const placeOrder = () => page.getByRole('button', { name: 'Place the order' }).click();
const flip = (service: string, button: string) => page.getByRole('group', { name: service }).getByRole('button', { name: button }).click();
const becomes = (status: string) => page.locator('#order-now .status').filter({ hasText: status }).waitFor();
const happens = (what: string) => page.locator('#order-steps').getByText(what, { exact: true }).waitFor();
const shownOrder = () => new URL(page.url()).searchParams.get('order') ?? '';

/** @returns the address of a link to another part of the stack */
const linkTo = (name: string | RegExp) => page.locator('#order-links').getByRole('link', { name }).first().getAttribute('href');

describe('the shop window', { timeout: 180_000 }, () => {
  it('places an order, and follows it until it is delivered, without a reload', async () => {
    await placeOrder();
    await page.waitForURL('**/?order=*');
    await page.evaluate('document.body.dataset.same = "yes"');
    for (const step of ['Order accepted', 'Stock reserved', 'Card charged', 'Accepted by the warehouse', 'Invoice written', 'Shipped', 'Delivered']) {
      await happens(step);
    }
    await becomes('Completed');
    expect(await page.evaluate('document.body.dataset.same')).toBe('yes');
    expect(await isShown(page.getByText('€8.90 paid'))).toBe(true);
    expect(await accessProblems(page)).toEqual([]);
    expect(faults).toEqual([]);
  });

  it('leads to the run, to the mail, and to the page of the operator', async () => {
    await placeOrder();
    await becomes('Completed');
    const order = shownOrder();
    expect(await linkTo('Its run in Temporal')).toBe(`${stack.temporalUiUrl}/namespaces/default/workflows/order%2F${order}`);
    expect(await linkTo('Operator’s page')).toBe(`/ops/orders/${order}`);
    await page.locator('#order-links').getByRole('link', { name: /^Mail: .* has arrived/ }).waitFor();
    const mail = await fetch((await linkTo(/^Mail: .* is confirmed/)) ?? '');
    expect(await mail.text()).toContain('We have received your payment');
  });

  it('shows that a lost answer of the warehouse is asked for again', async () => {
    await flip('Warehouse', 'Lose an answer');
    await page.locator('#warehouse-now').getByText('acts, but its answer is lost, for the next request').waitFor();
    // Like a probe, which must not use it up.
    const headers = { authorization: `Bearer ${stack.secrets.warehouseApiKey}` };
    expect((await fetch(`${stack.warehouseUrl}/v1/shipments/none`, { headers })).status).toBe(404);
    await placeOrder();
    await happens('2 attempts, done once.');
    await becomes('Completed');
    expect(await isShown(page.locator('#warehouse-now').getByText('works'))).toBe(true);
  });

  it('shows that an order is retried, parked and refunded', async () => {
    await flip('Warehouse', 'Take down');
    await page.locator('#warehouse-now').getByText('is down').waitFor();
    await placeOrder();
    await becomes('Needs attention');
    expect(await isShown(page.getByText(/^Parked after 4 attempts/))).toBe(true);
    await page.getByRole('button', { name: 'Cancel the order' }).click();
    await page.getByText('The cancellation is requested.').waitFor();
    await flip('Warehouse', 'Heal');
    await becomes('Cancelled');
    await happens('Payment refunded');
    await happens('Stock released');
    await happens('Everything that was paid is refunded.');
    expect(await isShown(page.getByText('€8.90 refunded'))).toBe(true);
    expect(await page.getByRole('button', { name: 'Cancel the order' }).count()).toBe(0);
  });

  it.runIf(TAKES_PICTURES)('takes pictures of an order that waits for the warehouse, and of the page of a customer', async () => {
    await placeOrder();
    await becomes('Completed');
    const mail = await fetch((await linkTo(/^Mail: .* is confirmed/)) ?? '');
    const [link = ''] = /\/my\/orders\/[\w/-]+/.exec(await mail.text()) ?? [];
    await flip('Warehouse', 'Take down');
    await placeOrder();
    await becomes('Needs attention');
    const parked = page.url();
    const taken = await capture(browser, stack.url, async (visitor, take) => {
      await visitor.goto(link);
      await take('customer-order');
      await visitor.goto(parked);
      await visitor.getByText(/^Parked after 4 attempts/).waitFor();
      await take('shop-window');
    });
    expect(taken).toBe(6);
    await flip('Warehouse', 'Heal');
  });

  it('flips the payment provider, and lists the latest orders', async () => {
    await flip('Payment provider', 'Lose an answer');
    await placeOrder();
    await becomes('Completed');
    const listed = page.locator('#recent-now').getByRole('listitem').filter({ hasText: shownOrder().slice(-8) });
    expect(await isShown(listed.getByText('Completed'))).toBe(true);
  });

  it('signs up, verifies with the token from the mail, and subscribes', async () => {
    await page.getByRole('button', { name: 'Sign up' }).click();
    await page.locator('#signup-links').getByRole('link', { name: /^Mail: Please verify/ }).waitFor();
    const answer = await fetch(`${stack.inboxUrl}/api/messages?subject=verify`);
    const { messages } = z.object({ messages: z.array(z.object({ text: z.string() })) }).parse(await answer.json());
    const token = /^[\w-]{43}$/m.exec(messages[0]?.text ?? '')?.[0] ?? '';
    await page.getByLabel('Code from the email').fill('a wrong one');
    await page.getByRole('button', { name: 'Verify' }).click();
    await page.getByRole('alert').filter({ hasText: 'The token is wrong or already used.' }).waitFor();
    expect(await accessProblems(page)).toEqual([]);
    await page.getByLabel('Code from the email').fill(token);
    await page.getByRole('button', { name: 'Verify' }).click();
    await page.locator('#signup-now .status').filter({ hasText: 'Trial' }).waitFor();
    await page.getByRole('button', { name: 'Subscribe' }).click();
    await page.locator('#signup-now .status').filter({ hasText: 'Subscribed' }).waitFor();
    // The browser reports the 422 that we caused on purpose.
    expect(faults.splice(0).filter((fault) => !fault.includes('422'))).toEqual([]);
  });

  it('keeps what was entered when an order is refused', async () => {
    await page.getByLabel('Name').first().fill('http://spam.example');
    await placeOrder();
    await page.getByRole('alert').waitFor();
    expect(await page.getByLabel('Name').first().inputValue()).toBe('http://spam.example');
    expect(faults.splice(0).filter((fault) => !fault.includes('422'))).toEqual([]);
  });

  it('takes another order from a visitor who goes back', async () => {
    await placeOrder();
    await happens('Order accepted');
    const first = shownOrder();
    await page.goBack();
    await page.getByRole('radio', { name: /Sencha/ }).check();
    await placeOrder();
    await page.getByText('1 × Sencha, 100 g: €12.50 in total').waitFor();
    expect(shownOrder()).not.toBe(first);
  });

  it('relays the stream of an order, from where a browser has left it', async () => {
    await placeOrder();
    await becomes('Completed');
    const events = `${stack.url}/shop/orders/${shownOrder()}/events`;
    const whole = await (await fetch(events)).text();
    const ids = [...whole.matchAll(/^id: (\d+)$/gm)].map(([, id = '']) => id);
    expect(whole).toContain('event: status');
    expect(ids.length).toBeGreaterThan(2);
    const rest = await (await fetch(events, { headers: { 'Last-Event-ID': ids[1] ?? '' } })).text();
    expect([...rest.matchAll(/^id: (\d+)$/gm)].map(([, id]) => id)).toEqual(ids.slice(2));
    expect((await fetch(events, { headers: { 'Last-Event-ID': ids.at(-1) ?? '' } })).status).toBe(204);
  });

  it('works without JavaScript', async () => {
    const { page: plain, context, faults: plainFaults } = await openPage(browser, stack.url, { javaScriptEnabled: false });
    await plain.goto('/');
    await plain.getByRole('button', { name: 'Place the order' }).click();
    await plain.locator('#order-steps').getByText('Order accepted').waitFor();
    await plain.getByRole('group', { name: 'Warehouse' }).getByRole('button', { name: 'Heal' }).click();
    await plain.locator('#warehouse-now').getByText('works').waitFor();
    expect(plainFaults).toEqual([]);
    await context.close();
  });

  it.each(['light', 'dark'] as const)('fits a phone, and can be read by everybody, in %s', async (colorScheme) => {
    await placeOrder();
    await becomes('Completed');
    const { page: phone, context } = await openPage(browser, stack.url, { colorScheme, viewport: { width: 390, height: 780 }, isMobile: true });
    await phone.goto(page.url());
    expect(await phone.evaluate('document.documentElement.scrollWidth')).toBe(390);
    expect(await accessProblems(phone)).toEqual([]);
    await context.close();
  });

  it('takes no form from another site, and answers to no other name', async () => {
    const post = (origin: string) =>
      fetch(`${stack.url}/shop/services/warehouse/fault`, {
        method: 'POST',
        headers: { origin, 'content-type': 'application/x-www-form-urlencoded' },
        body: 'choice=heal',
        redirect: 'manual',
      });
    expect((await post('http://evil.example')).status).toBe(403);
    expect((await post(stack.url)).status).toBe(303);
    expect(await statusAs('evil.example', stack.url)).toBe(421);
    const { headers } = await fetch(stack.url);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'");
  });

  it('does not show the keys of the stack', async () => {
    await placeOrder();
    await becomes('Completed');
    const shown = await page.content();
    for (const secret of Object.values(stack.secrets)) expect(shown).not.toContain(secret);
  });

  it('leads to the page of a simulator, where every fault is set by a button that says what it does', async () => {
    const url = (await page.getByRole('link', { name: 'Warehouse' }).getAttribute('href')) ?? '';
    const { page: simulator, context, faults: simulatorFaults } = await openPage(browser, url);
    await simulator.goto('/');
    await simulator.getByText('Now it works.').waitFor();
    await simulator.getByLabel('For the next … requests').fill('3');
    await simulator.getByLabel('Slow down by … ms').fill('1000');
    await simulator.getByLabel('Affects').selectOption('POST /v1/shipments');
    for (const [button, state] of [
      ['Take down', 'is down'],
      ['Fail before acting', 'fails before it acts'],
      ['Act, then fail', 'fails after it has acted'],
      ['Act, then lose the answer', 'acts, but its answer is lost'],
      ['Limit the rate', 'limits the rate'],
      ['Slow down', 'is slow by 1000 ms'],
    ] as const) {
      await simulator.getByRole('button', { name: button }).click();
      await simulator.getByText(`Now it ${state}, for the next 3 requests, only POST /v1/shipments.`).waitFor();
    }
    await simulator.getByRole('button', { name: 'Heal' }).click();
    await simulator.getByText('Now it works.').waitFor();
    expect(await accessProblems(simulator)).toEqual([]);
    expect(simulatorFaults).toEqual([]);
    await context.close();
  });

  it('shows a fault that was set elsewhere, and opens without an order that does not exist', async () => {
    expect((await fetch(`${stack.url}/?order=nonsense`)).status).toBe(200);
    expect((await fetch(`${stack.url}/?order=0198c5a2-7a53-7e1c-9a40-3f6f6f1c2b11`)).status).toBe(200);
    await setFault(stack.warehouseUrl, { mode: 'error_before', count: 2, operation: 'POST /v1/shipments' });
    await page.goto('/');
    await page.locator('#warehouse-now').getByText('fails before it acts, for the next 2 requests, only POST /v1/shipments').waitFor();
    await setFault(stack.warehouseUrl, null);
  });
});
