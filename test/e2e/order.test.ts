import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { freePort } from '../../src/sandbox/ports.ts';
import { temporalBinary, temporalCli } from '../../src/sandbox/temporal-binaries.ts';
import { startTemporalServer, type TemporalServer } from '../../src/sandbox/temporal-server.ts';
import { call, freshKey, newOrder } from '../api/support/api.ts';
import { expectSound, stockTotals } from '../support/audit.ts';
import { startStack, type Stack } from '../support/stack.ts';
import { createTemporaryFolder } from '../support/temporary-folder.ts';

// Temporal is stopped and restarted, so this file has its own server.
const folder = await createTemporaryFolder();
const port = await freePort();
const startTemporal = async () =>
  startTemporalServer({
    binary: await temporalBinary(temporalCli),
    port,
    databaseFile: join(folder.path, 'temporal.db'),
    logFile: join(folder.path, 'temporal.log'),
  });

let temporal: TemporalServer;
let stack: Stack;
let key: string;
beforeAll(async () => {
  temporal = await startTemporal();
  stack = await startStack({ TEMPORAL_ADDRESS: temporal.address });
  ({ key } = stack.keys.customer);
}, 90_000);
afterAll(async () => {
  await stack.close();
  await temporal.stop();
  await folder.remove();
});
afterEach(() => stack.expectBooksBalanced(), 90_000);

const orderView = z.object({ id: z.uuid(), status: z.string(), links: z.object({ self: z.string(), saga: z.string() }) });
const sagaView = z.object({ data: z.array(z.object({ step: z.string(), kind: z.string(), state: z.string() })) });

async function placeOrder(changes: object = {}): Promise<string> {
  const { status, body, headers } = await call(stack, 'POST', '/v1/orders', {
    key,
    body: { ...newOrder(), ...changes },
    headers: freshKey(),
  });
  expect(status).toBe(202);
  const { id } = orderView.parse(body);
  expect(headers.get('Location')).toBe(`/v1/orders/${id}`);
  return id;
}

/** Waits until an order has ended. @returns its status */
async function settle(id: string): Promise<string> {
  const status = async () => orderView.parse((await call(stack, 'GET', `/v1/orders/${id}`, { key })).body).status;
  const ends = expect.stringMatching(/^(completed|failed|cancelled)$/);
  await expect.poll(status, { timeout: 45_000, interval: 100 }).toEqual(ends);
  return await status();
}

describe('an order', () => {
  it('is charged, invoiced, shipped and delivered', { timeout: 120_000 }, async () => {
    const id = await placeOrder();
    expect(await settle(id)).toBe('completed');
    await expectSound(stack.shop, id);

    const { body } = await call(stack, 'GET', `/v1/orders/${id}/saga`, { key });
    expect(sagaView.parse(body).data.map(({ kind, step, state }) => `${kind} ${step} ${state}`)).toEqual([
      'step reserve done',
      'step charge done',
      'step ship done',
      'step invoice done',
    ]);
    const invoice = await call(stack, 'GET', `/v1/orders/${id}/invoice`, { key });
    expect(invoice.headers.get('Content-Type')).toBe('application/pdf');
    expect(invoice.body).toMatch(/^%PDF-/);
    await expect
      .poll(() => stack.shop.inbox.messages({ to: 'ada@example.com' }).map(({ subject, copies }) => `${subject} (${copies})`), {
        timeout: 30_000,
      })
      .toEqual(expect.arrayContaining([
        expect.stringMatching(/arrived \(1\)/),
        expect.stringMatching(/on its way \(1\)/),
        expect.stringMatching(/confirmed \(1\)/),
      ]));
  });

  it('fails and keeps nothing if the card is declined', { timeout: 120_000 }, async () => {
    const before = await stockTotals(stack.shop.db);
    const id = await placeOrder({ payment: { method: 'pm_card_visa_chargeDeclined' } });
    expect(await settle(id)).toBe('failed');
    await expectSound(stack.shop, id);
    expect(await stockTotals(stack.shop.db)).toEqual(before);
  });
});

describe('a signup', () => {
  it('is verified with the token from its email', { timeout: 120_000 }, async () => {
    const email = 'grace@example.com';
    const accepted = await call(stack, 'POST', '/v1/signups', { key, body: { email, name: 'Grace' }, headers: freshKey() });
    expect(accepted.status).toBe(202);
    const location = accepted.headers.get('Location') ?? '';
    await expect.poll(() => stack.shop.inbox.messages({ to: email }).length, { timeout: 20_000 }).toBe(1);
    const token = /^[\w-]{43}$/m.exec(stack.shop.inbox.messages({ to: email })[0]?.text ?? '')?.[0];
    const verified = await call(stack, 'POST', `${location}/verification`, { body: { token } });
    expect(verified.status).toBe(202);
    await expect
      .poll(async () => (await call(stack, 'GET', location, { key })).body, { timeout: 20_000 })
      .toMatchObject({ status: 'trial' });
  });
});

describe('while Temporal is stopped', () => {
  it('accepts orders and signups, and processes them once Temporal is back', { timeout: 120_000 }, async () => {
    await temporal.stop();
    const id = await placeOrder();
    const email = 'later@example.com';
    const signup = await call(stack, 'POST', '/v1/signups', { key, body: { email, name: 'Later' }, headers: freshKey() });
    expect(signup.status).toBe(202);
    const readiness = await call(stack, 'GET', '/readyz');
    expect(readiness).toMatchObject({ status: 200, body: { status: 'degraded', checks: { postgres: 'ok' } } });
    expect((await call(stack, 'GET', `/v1/orders/${id}`, { key })).body).toMatchObject({ status: 'accepted' });

    temporal = await startTemporal();
    expect(await settle(id)).toBe('completed');
    await expectSound(stack.shop, id);
    await expect.poll(() => stack.shop.inbox.messages({ to: email }).length, { timeout: 20_000 }).toBe(1);
    // The API has a connection of its own, which waits longer and longer before it tries again.
    await expect
      .poll(async () => (await call(stack, 'GET', '/readyz')).body, { timeout: 20_000 })
      .toMatchObject({ status: 'ready', checks: { temporal: 'ok' } });
  });
});
