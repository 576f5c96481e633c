import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFault, setFault } from '../../src/sandbox/fault-panels.ts';
import { runCommand, startProgram } from '../support/command.ts';
import { startEmbeddedStack, type EmbeddedStack } from '../support/embedded-stack.ts';

const DEMO = 'src/sandbox/demo/main.ts';

let stack: EmbeddedStack;
beforeAll(async () => {
  // A warehouse that ships at once: a cancellation in the demo must not depend on being faster.
  stack = await startEmbeddedStack({ WAREHOUSE_SHIP_AFTER: '1ms', WAREHOUSE_DELIVER_AFTER: '1ms' });
}, 300_000);
afterAll(() => stack.close());

/** The address after a word at the end of what the demo prints. */
const linkIn = (output: string, name: string): string => new RegExp(`^ {2}${name} +(http\\S+)$`, 'm').exec(output)?.[1] ?? '';

describe('npm run demo', { timeout: 400_000 }, () => {
  it('leads every order to the end that it should have, and shows where to look at one that failed', async () => {
    const { code, stdout, stderr } = await runCommand(DEMO, [], stack.environment);
    expect(stderr).toBe('');
    expect(stdout).toContain('20 of 20 orders ended as expected.');
    expect(stdout).toContain('Signups: pending_verification, trial, subscribed');
    const [, heading = '', first = ''] = /^( +order .*)\n(.*)$/m.exec(stdout) ?? [];
    expect(first.slice(0, heading.indexOf('total') + 'total'.length)).toMatch(/ a packet of tea +€8\.90$/);
    expect(code).toBe(0);
    expect(await readFault(stack.warehouseUrl)).toBeNull();
    const page = await fetch(linkIn(stdout, 'the order'));
    expect(await page.text()).toContain('Payment refunded');
    expect(linkIn(stdout, 'operator’s page')).toMatch(`${stack.url}/ops/orders/`);
    expect(linkIn(stdout, 'its run')).toMatch(`${stack.temporalUiUrl}/namespaces/default/workflows/order%2F`);
  });

  it('parks orders in an outage, shows the alert, and retries them', async () => {
    const { code, stdout, stderr } = await runCommand(DEMO, ['--outage'], stack.environment);
    expect(stderr).toBe('');
    expect(stdout.match(/→ needs_attention \(warehouse_unavailable\)/g)).toHaveLength(5);
    expect(stdout).toMatch(/ {2}\| \[Holdfast\] /);
    expect(stdout).toContain('5 orders would be retried, worth €44.50.');
    expect(stdout).toContain('5 of 5 retries succeeded. 5 of 5 orders are completed.');
    expect(code).toBe(0);
    expect(await readFault(stack.warehouseUrl)).toBeNull();
    expect((await fetch(linkIn(stdout, 'the alert'))).status).toBe(200);
  });

  it('sets the warehouse back as it was when it is interrupted', async () => {
    const before = { mode: 'slow' as const, delayMs: 10, rate: 1 };
    await setFault(stack.warehouseUrl, before);
    const demo = startProgram(DEMO, ['--outage'], stack.environment);
    demo.stdout.resume();
    demo.stderr.resume();
    const ended = once(demo, 'exit');
    await expect.poll(() => readFault(stack.warehouseUrl), { timeout: 60_000 }).toMatchObject({ mode: 'down' });
    demo.kill('SIGINT');
    demo.kill('SIGINT');
    expect(await ended).toEqual([130, null]);
    expect(await readFault(stack.warehouseUrl)).toEqual(before);
    await setFault(stack.warehouseUrl, null);
  });

  it('says what it needs', async () => {
    expect(await runCommand(DEMO, ['--nonsense'], stack.environment)).toMatchObject({ code: 1, stderr: 'demo: Usage: npm run demo, or npm run demo -- --outage\n' });
    const elsewhere = await runCommand(DEMO, [], { ...stack.environment, WAREHOUSE_URL: 'http://127.0.0.1:9' });
    expect(elsewhere).toMatchObject({ code: 1, stderr: expect.stringContaining('unset WAREHOUSE_URL') });
    const noStack = { code: 1, stderr: 'demo: The stack does not answer. Start it in another terminal: npm start\n' };
    expect(await runCommand(DEMO, [], { ...stack.environment, HOLDFAST_HOME: '/nowhere' })).toMatchObject(noStack);
    expect(await runCommand(DEMO, [], { ...stack.environment, WAREHOUSE_PORT: '9' })).toMatchObject(noStack);
  });
});
