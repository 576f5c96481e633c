import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createWarehouseGateway, type ShipmentRequest } from '../../src/gateways/warehouse.ts';
import { freePort } from '../../src/sandbox/ports.ts';
import { startWarehouseSimulator } from '../../src/sandbox/simulators/warehouse.ts';
import { answering, type Answer } from './answers.ts';

const shipment = (changes: Partial<ShipmentRequest['recipient']> = {}): ShipmentRequest => ({
  reference: `order:${crypto.randomUUID()}:1`,
  recipient: { name: 'Ada', line1: '1 Dorset Street', city: 'London', postalCode: 'W1U 4EG', country: 'GB', ...changes },
  items: [{ sku: 'TEA', quantity: 1 }],
});

const gatewayTo = (url: string) => createWarehouseGateway({ url, apiKey: 'key', timeout: 300 });

const UNAVAILABLE = { type: 'warehouse_unavailable', nonRetryable: false };
const INVALID = { type: 'invalid_request', nonRetryable: true };

describe('answers that may change', () => {
  it.each<[string, Answer, object]>([
    ['no answer in time', {}, UNAVAILABLE],
    ['401', { status: 401 }, UNAVAILABLE],
    ['403', { status: 403 }, UNAVAILABLE],
    ['408', { status: 408 }, UNAVAILABLE],
    ['425', { status: 425 }, UNAVAILABLE],
    ['429', { status: 429 }, UNAVAILABLE],
    ['429 with seconds to wait', { status: 429, headers: { 'retry-after': '7' } }, { ...UNAVAILABLE, nextRetryDelay: 7_000 }],
    ['503 with days to wait', { status: 503, headers: { 'retry-after': '172800' } }, { ...UNAVAILABLE, nextRetryDelay: 3_600_000 }],
    ['500', { status: 500 }, UNAVAILABLE],
    ['502 in HTML', { status: 502, body: '<html>' }, UNAVAILABLE],
    ['504', { status: 504 }, UNAVAILABLE],
  ])('%s', async (_name, answer, expected) => {
    const gateway = gatewayTo(await answering(answer));
    await expect(gateway.requestShipment('key', shipment())).rejects.toMatchObject(expected);
    await expect(gateway.cancelShipment('reference')).rejects.toMatchObject(expected);
  });

  it('no server', async () => {
    const gateway = gatewayTo(`http://127.0.0.1:${await freePort()}`);
    await expect(gateway.requestShipment('key', shipment())).rejects.toMatchObject(UNAVAILABLE);
  });

  it('may ask to wait until a date', async () => {
    const retryAfter = new Date(Date.now() + 60_000).toUTCString();
    const gateway = gatewayTo(await answering({ status: 503, headers: { 'retry-after': retryAfter } }));
    const failure: unknown = await gateway.cancelShipment('reference').catch((error: unknown) => error);
    expect(failure).toMatchObject({ nextRetryDelay: expect.any(Number) });
  });
});

describe('answers that will not change', () => {
  it.each<[string, Answer]>([
    ['400', { status: 400 }],
    ['404', { status: 404 }],
    ['409 of an unknown kind', { status: 409, body: { error: { code: 'closed_on_sundays' } } }],
    ['422 of an unknown kind', { status: 422, body: { error: { code: 'too_heavy' } } }],
  ])('%s', async (_name, answer) => {
    const gateway = gatewayTo(await answering(answer));
    await expect(gateway.requestShipment('key', shipment())).rejects.toMatchObject(INVALID);
    await expect(gateway.cancelShipment('reference')).rejects.toMatchObject(INVALID);
  });
});

it('an error whose code is free text leaves it out', async () => {
  const gateway = gatewayTo(await answering({ status: 400, body: { error: { code: 'Call Ada Lovelace' } } }));
  await expect(gateway.cancelShipment('reference')).rejects.toMatchObject({
    ...INVALID,
    message: expect.not.stringContaining('Ada'),
  });
});

describe('an answer that is not of the warehouse, e.g. of a proxy', () => {
  it.each<[string, Answer, string]>([
    ['502 in HTML', { status: 502, body: '<html>' }, 'The warehouse is unavailable (502).'],
    ['502 without a body', { status: 502, body: '' }, 'The warehouse is unavailable (502).'],
    ['502 cut short', { status: 502, headers: { 'content-length': '100' }, body: '{', isCutShort: true }, 'The warehouse is unavailable (502).'],
    ['404 in HTML', { status: 404, body: '<html>' }, 'No answer from the warehouse (404, unreadable answer).'],
    ['200 in HTML', { status: 200, body: '<html>' }, 'No answer from the warehouse (200, unreadable answer).'],
    ['200 in JSON', { status: 200, body: { shipment: 1 } }, 'No answer from the warehouse (200, unreadable answer).'],
    ['200 with null', { status: 200, body: 'null' }, 'No answer from the warehouse (200, unreadable answer).'],
    ['200 cut short', { status: 200, headers: { 'content-length': '100' }, body: '{', isCutShort: true }, 'No answer from the warehouse (connection reset).'],
  ])('%s', async (_name, answer, message) => {
    const gateway = gatewayTo(await answering(answer));
    const expected = { ...UNAVAILABLE, message };
    await expect(gateway.requestShipment('key', shipment())).rejects.toMatchObject(expected);
    await expect(gateway.cancelShipment('reference')).rejects.toMatchObject(expected);
    await expect(gateway.findShipment('reference')).rejects.toMatchObject(expected);
    await expect(gateway.listShipments({ from: undefined, until: new Date() }, undefined)).rejects.toMatchObject(expected);
  });

  it('does not say that the warehouse knows no such shipment', async () => {
    const gateway = gatewayTo(await answering({ status: 404, body: { message: 'no route' } }));
    await expect(gateway.findShipment('reference')).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: 'No answer from the warehouse (404, unreadable answer).',
    });
  });

  it('may ask to wait', async () => {
    const gateway = gatewayTo(await answering({ status: 503, headers: { 'retry-after': '7' }, body: '<html>' }));
    await expect(gateway.cancelShipment('reference')).rejects.toMatchObject({ ...UNAVAILABLE, nextRetryDelay: 7_000 });
  });
});

async function start() {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-'));
  const warehouse = await startWarehouseSimulator({ port: 0, ledgerFile: join(folder, 'ledger.jsonl'), apiKey: 'key' });
  onTestFinished(async () => {
    await warehouse.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { warehouse, gateway: gatewayTo(warehouse.url) };
}

describe('a warehouse', () => {
  it('accepts a shipment once, however often it is requested', async () => {
    const { gateway } = await start();
    const request = shipment();
    const first = await gateway.requestShipment('key', request);
    expect(first).toEqual({ id: expect.stringMatching(/^shp_/) });
    expect(await gateway.requestShipment('key', request)).toEqual(first);
  });

  it('refuses an address that it cannot deliver to', async () => {
    const { gateway } = await start();
    await expect(gateway.requestShipment('key', shipment({ postalCode: '00000' }))).rejects.toMatchObject({
      type: 'invalid_address',
      nonRetryable: true,
    });
  });

  it('never accepts a shipment whose cancellation arrived first', async () => {
    const { gateway } = await start();
    const request = shipment();
    expect(await gateway.cancelShipment(request.reference)).toBe(true);
    expect(await gateway.requestShipment('key', request)).toBe('cancelled');
  });

  it('does not accept another address under the same key, and shows what it has accepted', async () => {
    const { gateway } = await start();
    const request = shipment();
    await gateway.requestShipment('key', request);
    const corrected = { ...request, recipient: { ...request.recipient, line1: '221B Baker Street' } };
    expect(await gateway.requestShipment('key', corrected)).toBe('taken');
    expect(await gateway.findShipment(request.reference)).toMatchObject({ state: 'accepted' });
  });

  it('reports that the parcel has left', async () => {
    const { warehouse, gateway } = await start();
    const request = shipment();
    await gateway.requestShipment('key', request);
    await fetch(`${warehouse.url}/_sandbox/shipments/${request.reference}/shipped`, { method: 'POST' });
    expect(await gateway.cancelShipment(request.reference)).toBe(false);
  });
});
