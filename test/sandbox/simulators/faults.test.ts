import { describe, expect, test, vi } from 'vitest';
import { FaultPanel } from '../../../src/sandbox/simulators/faults.ts';
import { startInbox } from '../../../src/sandbox/simulators/inbox.ts';
import { startPaymentSimulator } from '../../../src/sandbox/simulators/payments.ts';
import { startWarehouseSimulator } from '../../../src/sandbox/simulators/warehouse.ts';
import { startPayments, temporaryFile } from './support.ts';

const put = (url: string, body: string) =>
  fetch(`${url}/_sandbox/faults`, { method: 'PUT', headers: { 'content-type': 'application/json' }, body });

describe('the fault panel', () => {
  test('clears the fault after `count` affected requests', () => {
    const panel = new FaultPanel(() => ['GET /a']);
    panel.set({ mode: 'down', count: 2, operation: 'GET /a' });
    expect(panel.take('GET /b')).toBeUndefined();
    expect([panel.take('GET /a')?.mode, panel.take('GET /a')?.mode, panel.take('GET /a')]).toEqual(['down', 'down', undefined]);
    expect(panel.current).toBeNull();
  });

  test('affects no request at rate 0 and every request at rate 1', () => {
    const panel = new FaultPanel();
    panel.set({ mode: 'down', rate: 0 });
    expect(panel.take('GET /a')).toBeUndefined();
    panel.set({ mode: 'down', rate: 1 });
    expect(panel.take('GET /a')).toBeDefined();
  });
});

describe('the control routes', () => {
  test('set, show and clear a fault, and are not affected by it', async () => {
    const { url } = await startPayments();
    expect(await (await put(url, '{"mode":"down"}')).json()).toEqual({ fault: { mode: 'down', rate: 1 } });
    expect(await (await fetch(`${url}/_sandbox/faults`)).json()).toMatchObject({ fault: { mode: 'down' } });
    await expect(fetch(`${url}/v1/refunds`)).resolves.toMatchObject({ status: 401 });
    expect(await (await fetch(`${url}/_sandbox/faults`, { method: 'DELETE' })).json()).toEqual({ fault: null });
  });

  test.each([
    ['not JSON', '{'],
    ['an unknown mode', '{"mode":"sideways"}'],
    ['an unknown field', '{"mode":"down","often":true}'],
    ['a delay for a mode that has none', '{"mode":"down","delayMs":5}'],
    ['a rate above 1', '{"mode":"down","rate":2}'],
    ['an unknown operation', '{"mode":"down","operation":"POST /v1/orders"}'],
  ])('refuse %s', async (_what, body) => {
    const { url, faults } = await startPayments();
    const response = await put(url, body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'invalid_fault' } });
    expect(faults.current).toBeNull();
  });

  test('the page shows the fault and the ledger', async () => {
    const { url, faults } = await startPayments();
    faults.set({ mode: 'slow', delayMs: 7 });
    const page = await (await fetch(url)).text();
    expect(page).toContain('Payment simulator');
    expect(page).toContain('Now it <strong>is slow by 7 ms</strong>.');
    expect(page).toContain('POST /v1/payment_intents/:id/confirm');
  });
});

test('no simulator starts in production', async () => {
  vi.stubEnv('NODE_ENV', 'production');
  const ledgerFile = temporaryFile();
  try {
    await expect(startPaymentSimulator({ port: 0, ledgerFile, secretKey: 'k' })).rejects.toThrow('production');
    await expect(startWarehouseSimulator({ port: 0, ledgerFile, apiKey: 'k' })).rejects.toThrow('production');
    await expect(startInbox({ smtpPort: 0, httpPort: 0, file: ledgerFile })).rejects.toThrow('production');
  } finally {
    vi.unstubAllEnvs();
  }
});
