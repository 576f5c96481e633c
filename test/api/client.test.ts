import { readFileSync } from 'node:fs';
import createClient from 'openapi-fetch';
import openapiTS from 'openapi-typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshKey, newOrder, startTestApi, type TestApi } from './support/api.ts';
import type { paths } from './support/client-types.ts';
import { DOCUMENT_FILE } from './support/document.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

/** A client as a developer generates it. The compiler checks each request below against the document. */
const clientOf = (key: string) => createClient<paths>({ baseUrl: api.url, headers: { Authorization: `Bearer ${key}` } });

describe('a generated client', () => {
  it('has the types of the document: otherwise run `npm run openapi`', async () => {
    const types = readFileSync(new URL('./support/client-types.ts', import.meta.url), 'utf8');
    expect(await openapiTS(JSON.parse(readFileSync(DOCUMENT_FILE, 'utf8')))).toBe(types);
  });

  it('places an order and reads it', async () => {
    const client = clientOf(api.keys.customer.key);
    const placed = await client.POST('/v1/orders', { params: { header: freshKey() }, body: newOrder() });
    expect(placed.data?.total).toEqual({ amount: 3680, currency: 'EUR' });

    const id = placed.data?.id ?? '';
    const { data: order } = await client.GET('/v1/orders/{id}', { params: { path: { id } } });
    expect(order?.status).toBe('accepted');
    expect(order?.shipment?.trackingNumber ?? null).toBeNull();
  });

  it('learns why an order is refused', async () => {
    const { error } = await clientOf(api.keys.customer.key).POST('/v1/orders', {
      params: { header: freshKey() },
      body: { ...newOrder(), items: [{ sku: 'TEA-UNKNOWN', quantity: 1 }] },
    });
    expect(error?.type).toBe('urn:holdfast:problem:unknown-product');
  });
});
