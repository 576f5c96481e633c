import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { startWarehouseSimulator } from '../../../src/sandbox/simulators/warehouse.ts';
import { closing, startReceiver, temporaryFile } from './support.ts';

const apiKey = 'wh_test';
const secret = `whsec_${Buffer.from('a secret of thirty-two characters').toString('base64')}`;
const reference = 'order:0198c0de-0000-7000-8000-000000000001:1';
const recipient = { name: 'Ada', line1: 'Main Street 1', city: 'Ghent', postalCode: '9000', country: 'BE' };
const order = { reference, recipient, items: [{ sku: 'MUG', quantity: 2 }] };

async function start(options: Partial<Parameters<typeof startWarehouseSimulator>[0]> = {}) {
  const simulator = closing(await startWarehouseSimulator({ port: 0, ledgerFile: temporaryFile(), apiKey, ...options }));
  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(simulator.url + path, {
      method,
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer: unknown = await response.json();
    return { status: response.status, replayed: response.headers.get('idempotent-replayed'), body: answer };
  };
  const path = `/v1/shipments/${encodeURIComponent(reference)}`;
  return {
    simulator,
    create: (body: unknown = order, key = 'ship:1') => call('POST', '/v1/shipments', body, { 'idempotency-key': key }),
    cancel: () => call('POST', `${path}/cancellation`),
    find: () => call('GET', path),
    move: (progress: string) => call('POST', `/_sandbox${path.slice(3)}/${progress}`),
    call,
    types: () => simulator.ledger().map(({ type }) => type),
  };
}

describe('shipments', () => {
  test('are accepted once: the same request gets the same answer', async () => {
    const { create, find, simulator } = await start();
    const first = await create();
    expect(first).toMatchObject({ status: 201, replayed: null, body: { reference, state: 'accepted' } });
    expect(await create()).toEqual({ status: 200, replayed: 'true', body: first.body });
    expect(await create(order, 'ship:another')).toEqual({ status: 200, replayed: 'true', body: first.body });
    expect(await find()).toMatchObject({ status: 200, body: { state: 'accepted', items: order.items } });
    expect(simulator.ledger()).toMatchObject([{ seq: 1, type: 'shipment.accepted', reference, idempotencyKey: 'ship:1', items: order.items }]);
  });

  test('are listed in pages, the latest first, within the span in which they were accepted', async () => {
    const { create, call } = await start();
    const from = new Date().toISOString();
    for (const number of [1, 2, 3]) await create({ ...order, reference: `order:${number}:1` }, `ship:${number}`);
    const until = new Date(Date.now() + 1_000).toISOString();
    const references = async (query: string) => {
      const { status, body } = await call('GET', `/v1/shipments?${query}`);
      expect(status).toBe(200);
      return body;
    };
    const span = `acceptedFrom=${from}&acceptedUntil=${until}`;
    expect(await references(`${span}&limit=2`)).toMatchObject({ data: [{ reference: 'order:3:1' }, { reference: 'order:2:1' }], hasMore: true });
    expect(await references(`${span}&limit=2&startingAfter=order:2:1`)).toMatchObject({ data: [{ reference: 'order:1:1' }], hasMore: false });
    expect(await references(`acceptedUntil=${from}`)).toMatchObject({ data: [], hasMore: false });
    expect(await call('GET', '/v1/shipments?limit=101')).toMatchObject({ status: 400 });
  });

  test('with a used key or reference but another body are a conflict', async () => {
    const { create } = await start();
    await create();
    const other = { ...order, items: [{ sku: 'MUG', quantity: 3 }] };
    expect(await create(other)).toMatchObject({ status: 409, body: { error: { code: 'idempotency_conflict' } } });
    expect(await create(other, 'ship:another')).toMatchObject({ status: 409, body: { error: { code: 'idempotency_conflict' } } });
    expect(await create({ ...order, reference: 'order:2:1' })).toMatchObject({ status: 409 });
  });

  test.each([{ postalCode: '00000' }, { country: 'XX' }])('to an invalid address (%o) are refused until the address is corrected', async (wrong) => {
    const { create } = await start();
    const refused = await create({ ...order, recipient: { ...recipient, ...wrong } });
    expect(refused).toMatchObject({ status: 422, body: { error: { code: 'invalid_address' } } });
    expect(await create()).toMatchObject({ status: 201 });
  });

  test('that are malformed, without a key or unauthorized are refused', async () => {
    const { create, call, find } = await start();
    expect(await create({ ...order, items: [] })).toMatchObject({ status: 400, body: { error: { code: 'invalid_request' } } });
    expect(await create({ ...order, surprise: true })).toMatchObject({ status: 400 });
    expect(await call('POST', '/v1/shipments', order)).toMatchObject({ status: 400, body: { error: { code: 'invalid_request' } } });
    expect(await call('GET', '/v1/shipments/x', undefined, { authorization: 'Bearer wrong' })).toMatchObject({ status: 401 });
    expect(await find()).toMatchObject({ status: 404 });
  });
});

describe('cancellation', () => {
  test('is final and can be repeated', async () => {
    const { create, cancel, find, types } = await start();
    await create();
    expect(await cancel()).toMatchObject({ status: 200, body: { reference, state: 'cancelled' } });
    expect(await cancel()).toMatchObject({ status: 200 });
    expect(await find()).toMatchObject({ body: { state: 'cancelled' } });
    expect(await create()).toMatchObject({ status: 409, body: { error: { code: 'shipment_cancelled' } } });
    expect(types()).toEqual(['shipment.accepted', 'shipment.cancelled']);
  });

  test('of an unknown reference blocks it, even after a restart', async () => {
    const ledgerFile = temporaryFile();
    const before = await start({ ledgerFile });
    expect(await before.cancel()).toMatchObject({ status: 200 });
    await before.simulator.close();
    const { create, find } = await start({ ledgerFile });
    expect(await create()).toMatchObject({ status: 409, body: { error: { code: 'shipment_cancelled' } } });
    expect(await find()).toMatchObject({ body: { reference, state: 'cancelled' } });
  });

  test('is refused once the shipment has shipped', async () => {
    const { create, cancel, move } = await start();
    await create();
    await move('shipped');
    expect(await cancel()).toMatchObject({ status: 409, body: { error: { code: 'already_shipped' } } });
  });
});

describe('progress', () => {
  test('by hand sends signed webhooks and retries them until accepted', async () => {
    const receiver = await startReceiver(503);
    const { create, move, types } = await start({ webhook: { url: receiver.url, secret } });
    await create();
    expect(await move('delivered')).toMatchObject({ status: 409 });
    await move('shipped');
    await receiver.wait(2);
    await move('delivered');
    await receiver.wait(3);
    const events = receiver.received.map(({ body, headers }) => new Webhook(secret).verify(body, headers));
    const data = { reference, carrier: 'Sandbox Parcel', trackingNumber: expect.stringMatching(/^SBX/) };
    expect(events).toMatchObject([
      { type: 'shipment.shipped', data },
      { type: 'shipment.shipped', data },
      { type: 'shipment.delivered', data },
    ]);
    expect(receiver.received[0]?.headers['webhook-id']).toBe(receiver.received[1]?.headers['webhook-id']);
    await expect.poll(() => types().filter((type) => type === 'webhook.delivered')).toHaveLength(2);
  });

  test('a rejection has a reason, and the shipment can still be cancelled', async () => {
    const receiver = await startReceiver();
    const { create, move, cancel } = await start({ webhook: { url: receiver.url, secret } });
    await create();
    await move('rejected');
    await receiver.wait(1);
    expect(JSON.parse(receiver.received[0]?.body ?? '')).toMatchObject({ type: 'shipment.rejected', data: { reference, reason: expect.any(String) } });
    expect(await cancel()).toMatchObject({ status: 200 });
  });

  test('happens automatically and continues after a restart', async () => {
    const ledgerFile = temporaryFile();
    const before = await start({ ledgerFile });
    await before.create();
    await before.simulator.close();
    const { find, types } = await start({ ledgerFile, shipAfterMs: 10, deliverAfterMs: 10 });
    await expect.poll(find).toMatchObject({ body: { state: 'delivered' } });
    expect(types()).toEqual(['shipment.accepted', 'shipment.shipped', 'shipment.delivered']);
  });

  test('a cancelled shipment never ships', async () => {
    // Long enough to be cancelled before.
    const { create, cancel, simulator, types } = await start({ shipAfterMs: 2_000 });
    await Promise.all([create(), create({ ...order, reference: 'order:2:1' }, 'ship:2')]);
    await cancel();
    await expect.poll(types).toContain('shipment.shipped');
    expect(simulator.ledger().filter(({ type }) => type === 'shipment.shipped')).toMatchObject([{ reference: 'order:2:1' }]);
  });

  test('a webhook that was not accepted is sent after a restart', async () => {
    const ledgerFile = temporaryFile();
    const failing = await startReceiver(500);
    const before = await start({ ledgerFile, webhook: { url: failing.url, secret } });
    await before.create();
    await before.move('shipped');
    await failing.wait(1);
    await before.simulator.close();
    const receiver = await startReceiver();
    await start({ ledgerFile, webhook: { url: receiver.url, secret } });
    await receiver.wait(1);
    expect(receiver.received[0]?.headers['webhook-id']).toBe(failing.received[0]?.headers['webhook-id']);
  });
});

describe('faults', () => {
  test.each([
    ['down', undefined, 0],
    ['error_before', 500, 0],
    ['rate_limit', 429, 0],
    ['drop_after_commit', undefined, 1],
    ['error_after_commit', 500, 1],
    ['slow', 201, 1],
  ] as const)('%s: after a retry, there is one shipment', async (mode, status, accepted) => {
    const { simulator, create, types } = await start();
    simulator.faults.set({ mode, count: 1, ...(mode === 'slow' && { delayMs: 5 }) });
    const answer = await create().catch(() => undefined);
    expect(answer?.status).toBe(status);
    expect(types()).toHaveLength(accepted);
    expect(await create()).toMatchObject({ status: accepted ? 200 : 201, body: { state: 'accepted' } });
    expect(types()).toEqual(['shipment.accepted']);
  });

  test('closing does not wait for a slow request', async () => {
    const { simulator, create, types } = await start();
    simulator.faults.set({ mode: 'slow', delayMs: 600_000, count: 1 });
    const answer = create().catch(() => 'dropped');
    await expect.poll(() => simulator.faults.current).toBeNull();
    await simulator.close();
    expect(await answer).toBe('dropped');
    expect(types()).toEqual([]);
  });
});
