import { SMTPServer } from 'smtp-server';
import { afterEach, describe, expect, it } from 'vitest';
import { SERVICES, type Service } from '../../src/contracts/health.ts';
import { createProbes, type ServiceAddresses } from '../../src/health/probes.ts';
import { freePort } from '../../src/sandbox/ports.ts';
import { useShop } from '../support/shop.ts';

const shop = await useShop();
afterEach(() => shop.heal());

/** @returns what a probe found wrong; undefined when it found nothing */
const found = (service: Service, changes: Partial<ServiceAddresses> = {}) => {
  const probe = createProbes({ ...shop.environment, ...changes })[service];
  return probe().then(
    () => undefined,
    ({ failure, message }: { failure: string; message: string }) => `${failure}: ${message}`,
  );
};

describe('the probes', () => {
  it('find services that answer, and leave nothing behind', async () => {
    for (const service of SERVICES) expect(await found(service)).toBeUndefined();
    expect(shop.inbox.messages({})).toEqual([]);
    const until = new Date(Date.now() + 60_000);
    expect(await shop.gateways.warehouse.listShipments({ from: undefined, until }, undefined)).toMatchObject({ shipments: [] });
    expect(await shop.gateways.payments.listIntentsCreated({ from: undefined, until }, undefined)).toMatchObject({ items: [] });
  });

  it('tell the time of services that say it', async () => {
    const probes = createProbes(shop.environment);
    expect(await probes.warehouse()).toEqual({ ahead: expect.any(Number) });
    expect(await probes.email()).toEqual({ ahead: undefined });
  });

  it('find credentials that are refused, without repeating them', async () => {
    expect(await found('payment', { STRIPE_SECRET_KEY: 'sk_test_wrong' })).toBe('refused: HTTP 401: our key is refused');
    expect(await found('warehouse', { WAREHOUSE_API_KEY: 'wrong' })).toBe('refused: HTTP 401: our key is refused');
    const port = await freePort();
    const server = new SMTPServer({
      disableReverseLookup: true,
      allowInsecureAuth: true,
      hideSTARTTLS: true,
      onAuth: ({ username }, _session, callback) => callback(new Error(`${username} is not known here`)),
    });
    server.listen(port, '127.0.0.1');
    try {
      expect(await found('email', { SMTP_URL: `smtp://ada:hunter2@127.0.0.1:${port}` })).toBe('refused: our sign-in is refused (EAUTH)');
    } finally {
      await new Promise<void>((resolve) => server.close(resolve));
    }
  });

  it('find services that fail, that drop the connection, and that do not exist', async () => {
    for (const { faults } of [shop.warehouse, shop.payments]) faults.set({ mode: 'error_before' });
    expect(await found('warehouse')).toBe('unexpected: HTTP 500');
    expect(await found('payment')).toBe('unexpected: HTTP 500');
    for (const { faults } of [shop.warehouse, shop.payments, shop.inbox]) faults.set({ mode: 'down' });
    for (const service of SERVICES) expect(await found(service)).toMatch(/^no_answer: /);
    const port = await freePort();
    expect(await found('warehouse', { WAREHOUSE_URL: `http://127.0.0.1:${port}` })).toBe('no_answer: connection refused');
    expect(await found('email', { SMTP_URL: `smtp://127.0.0.1:${port}` })).toBe('no_answer: connection refused');
  });

  it('end when they are told to, even if a service hangs', async () => {
    shop.warehouse.faults.set({ mode: 'slow', delayMs: 600_000 });
    const stopping = new AbortController();
    const probe = createProbes(shop.environment).warehouse(stopping.signal);
    stopping.abort();
    await expect(probe).rejects.toThrow('no answer');
  });
});
