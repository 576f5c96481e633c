import { join } from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { orderWorkflowId } from '../../src/contracts/ids.ts';
import { freePorts, localUrl } from '../../src/sandbox/ports.ts';
import { temporalBinary, temporalCli } from '../../src/sandbox/temporal-binaries.ts';
import { startTemporalServer } from '../../src/sandbox/temporal-server.ts';
import { serveTemporalUi } from '../../src/sandbox/temporal-ui.ts';
import { startStack, type Stack } from '../support/stack.ts';
import { createTemporaryFolder } from '../support/temporary-folder.ts';
import { launchBrowser, signIn } from './support/browser.ts';

/** Stopped in reverse order. */
const started: (() => Promise<unknown>)[] = [];
let stack: Stack;
let ui: string;
let browser: Browser;
beforeAll(async () => {
  const folder = await createTemporaryFolder();
  started.push(folder.remove);
  const [api = 0, temporal = 0, upstream = 0, front = 0] = await freePorts(4);
  const server = await startTemporalServer({
    binary: await temporalBinary(temporalCli),
    port: temporal,
    uiPort: upstream,
    codecUrl: localUrl(api, '/codec'),
    logFile: join(folder.path, 'temporal.log'),
  });
  started.push(() => server.stop());
  started.push((await serveTemporalUi({ port: front, upstream: localUrl(upstream), signIn: localUrl(api, '/ops'), allowedHosts: [] })).stop);
  ui = localUrl(front);
  stack = await startStack({ TEMPORAL_ADDRESS: server.address, TEMPORAL_UI_URL: ui }, api);
  started.push(() => stack.close());
  browser = await launchBrowser();
  started.push(() => browser.close());
}, 120_000);
afterAll(async () => {
  for (const stop of started.toReversed()) await stop();
}, 60_000);

/** Opens the run of an order in the Web UI. @returns how its browser was answered by the codec */
async function openRun(context: BrowserContext, orderId: string) {
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const answered = page.waitForResponse((response) => response.url().includes('/codec/decode') && response.request().method() === 'POST');
  await page.goto(`${ui}/namespaces/default/workflows/${encodeURIComponent(orderWorkflowId(orderId))}`);
  const answer = await answered;
  return { page, status: answer.status() };
}

it('Temporal’s Web UI shows a run in clear text to a person who is signed in at the operator’s page, and to nobody else', { timeout: 120_000 }, async () => {
  const { orderId } = await stack.shop.placeOrder();
  await expect.poll(async () => (await stack.client.workflow.count()).count, { timeout: 30_000 }).toBeGreaterThan(0);

  const stranger = await browser.newContext();
  const refused = await openRun(stranger, orderId);
  expect(refused.status).toBe(401);
  await refused.page.getByRole('link', { name: `${stack.url}/ops` }).waitFor();
  expect(await refused.page.getByText('approvalThreshold').count()).toBe(0);
  await stranger.close();

  const operator = await browser.newContext({ baseURL: stack.url });
  await signIn(await operator.newPage(), stack.keys.operator.key);
  const { page, status } = await openRun(operator, orderId);
  expect(status).toBe(200);
  await page.getByText('approvalThreshold').first().waitFor();
  expect(await page.getByText(orderId).count()).toBeGreaterThan(0);
  await operator.close();
});
