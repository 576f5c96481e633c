import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { revokeApiKey } from '../../src/operate/api-keys.ts';
import { insertApiKey } from '../../src/records/api-keys.ts';
import { call, freshKey, placeOrder, startTestApi, type TestApi } from './support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const UNKNOWN = '0197d0a0-0000-7000-8000-000000000000';
const post = (request: object) =>
  call(api, 'POST', '/v1/orders', { key: api.keys.customer.key, ...request, headers: { ...freshKey(), ...headersOf(request) } });
const headersOf = (request: object) => ('headers' in request && typeof request.headers === 'object' ? request.headers : {});

describe('an invalid request', () => {
  it.each([
    ['has a body that is no JSON', 400, 'malformed-json', { text: '{"customer":' }],
    ['names a field twice', 400, 'malformed-json', { text: '{"items":[],"items":[]}' }],
    ['has an empty body', 400, 'malformed-json', { text: '' , headers: { 'Content-Type': 'application/json' } }],
    ['has another content type', 415, 'unsupported-media-type', { text: 'a=b', headers: { 'Content-Type': 'text/plain' } }],
    ['is a form', 415, 'unsupported-media-type', { text: 'a=b', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }],
    ['has a body that is not an object', 422, 'invalid-fields', { text: '[]' }],
    ['has a body over 64 kB', 413, 'content-too-large', { text: JSON.stringify({ note: 'x'.repeat(65_536) }) }],
  ])('%s', async (_, status, type, request) => {
    const answer = await post(request);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('Content-Type')).toBe('application/problem+json');
    expect(answer.body).toMatchObject({
      type: `urn:holdfast:problem:${type}`,
      title: expect.any(String),
      status,
      detail: expect.any(String),
      instance: '/v1/orders',
      requestId: answer.headers.get('X-Request-Id'),
    });
  });

  it('is refused when its body, sent in pieces, exceeds 64 kB', async () => {
    const pieces = Array.from({ length: 9 }, () => new TextEncoder().encode(' '.repeat(8_192)));
    const response = await fetch(`${api.url}/v1/orders`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${api.keys.customer.key}` },
      body: ReadableStream.from(pieces),
      duplex: 'half',
    });
    expect(response.status).toBe(413);
    await response.text();
  });

  it.each([
    ['GET', `/v1/orders/${UNKNOWN}`],
    ['GET', '/v1/orders/not-an-id'],
    ['GET', `/v1/signups/${UNKNOWN}`],
    ['GET', '/v1/nothing'],
    ['GET', '/'],
  ])('%s %s is not there', async (method, path) => {
    const { status, body } = await call(api, method, path, { key: api.keys.customer.key });
    expect(status).toBe(404);
    expect(body).toMatchObject({ type: 'urn:holdfast:problem:not-found', instance: path });
  });

  it.each([
    ['/v1/reports/weekly/%00', 404],
    ['/v1/orders/%7F', 404],
    ['/ops/reports/%00', 404],
    ['/v1/ops/failures?text=%00', 422],
    ['/v1/ops/failures?step=a%0Ab', 422],
    ['/ops/failures?text=%00', 422],
    ['/ops/sign-in?next=/ops/%0d%0aX', 422],
  ])('is refused with a control character in its address: %s', async (path, status) => {
    const answer = await call(api, 'GET', path, { key: api.keys.operator.key });
    expect(answer).toMatchObject({ status, body: { status } });
  });

  it('is refused with a control character in its query, which is named', async () => {
    const { body } = await call(api, 'GET', '/v1/ops/failures?kind=step&text=%00', { key: api.keys.operator.key });
    expect(body).toMatchObject({ type: 'urn:holdfast:problem:invalid-fields', errors: [{ in: 'query', pointer: '/text' }] });
  });

  it.each([
    ['DELETE', '/v1/orders', 'GET, HEAD, POST'],
    ['PUT', `/v1/orders/${UNKNOWN}`, 'GET, HEAD'],
    ['GET', `/v1/orders/${UNKNOWN}/cancellation`, 'POST'],
    ['GET', '/v1/webhooks/warehouse', 'POST'],
    ['POST', '/livez', 'GET, HEAD'],
  ])('%s %s is not allowed', async (method, path, allow) => {
    const { status, headers, body } = await call(api, method, path, { key: api.keys.customer.key });
    expect(status).toBe(405);
    expect(headers.get('Allow')?.split(', ').toSorted().join(', ')).toBe(allow);
    expect(body).toMatchObject({ type: 'urn:holdfast:problem:method-not-allowed' });
  });
});

describe('a caller', () => {
  it.each([
    ['brings no key', undefined, 'Bearer realm="holdfast"'],
    ['brings another scheme', 'Basic YTpi', 'Bearer realm="holdfast"'],
    ['sends a malformed key', 'Bearer hf_guess', 'Bearer realm="holdfast", error="invalid_token"'],
  ])('who %s is unknown', async (_, authorization, challenge) => {
    const { status, headers, body } = await call(api, 'GET', '/v1/orders', {
      headers: authorization === undefined ? {} : { Authorization: authorization },
    });
    expect(status).toBe(401);
    expect(headers.get('WWW-Authenticate')).toBe(challenge);
    expect(body).toMatchObject({ type: 'urn:holdfast:problem:unauthenticated' });
  });

  it('is unknown once its key is revoked', async () => {
    const { id, key } = await insertApiKey(api.db, { name: 'former', role: 'operator' });
    await revokeApiKey(api.db, id, { actor: 'test', reason: 'lost' });
    expect((await call(api, 'GET', '/v1/orders', { key })).status).toBe(401);
  });

  it('needs to be an operator for whatever may come below /v1/ops', async () => {
    const status = async (key?: string) => (await call(api, 'GET', '/v1/ops/what-may-come', key === undefined ? {} : { key })).status;
    expect(await status()).toBe(401);
    expect(await status(api.keys.customer.key)).toBe(403);
    expect(await status(api.keys.support.key)).toBe(403);
    expect(await status(api.keys.operator.key)).toBe(404);
  });
});

/** Sends a request id and returns the one of the answer. */
const echoOf = async (sent: string) =>
  (await call(api, 'GET', '/livez', { headers: { 'X-Request-Id': sent } })).headers.get('X-Request-Id');

describe('the edge', () => {
  it('shows the catalogue to everyone', async () => {
    const { status, body } = await call(api, 'GET', '/v1/products');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      data: expect.arrayContaining([
        { sku: 'TEA-SENCHA', name: 'Sencha, 100 g', price: { amount: 1250, currency: 'EUR' }, available: 10_000 },
      ]),
    });
  });

  it('keeps a valid request id, and creates one otherwise', async () => {
    expect(await echoOf('trace-42')).toBe('trace-42');
    expect(await echoOf('a b"c')).toMatch(/^[0-9a-f-]{36}$/);
    expect(await echoOf('x'.repeat(129))).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('sends security headers and allows no other origin', async () => {
    const { headers } = await call(api, 'GET', '/v1/products', { headers: { Origin: 'https://elsewhere.example' } });
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(headers.get('X-Frame-Options')).toBe('DENY');
    expect(headers.get('Content-Security-Policy')).toContain("default-src 'none'");
    expect(headers.get('Access-Control-Allow-Origin')).toBeNull();
  });

  it('lets nothing be stored that is answered to a key', async () => {
    const id = await placeOrder(api);
    for (const path of ['/v1/orders', `/v1/orders/${id}`, `/v1/orders/${id}/events`, `/v1/orders/${UNKNOWN}`]) {
      const { headers, body } = await fetch(`${api.url}${path}`, { headers: { Authorization: `Bearer ${api.keys.customer.key}` } });
      await body?.cancel();
      expect(headers.get('Cache-Control')).toBe('no-store');
    }
  });

  it('takes an operator to no address that a header cannot hold', async () => {
    const answer = await fetch(`${api.url}/ops/sign-in`, {
      method: 'POST',
      headers: { Origin: api.url },
      body: new URLSearchParams({ key: api.keys.operator.key, next: '/ops/\r\nX' }),
      redirect: 'manual',
    });
    expect(answer.status).toBe(303);
    expect(answer.headers.get('Location')).toBe('/ops');
  });

  it.each([
    ['/ops/sign-in', 'no-store'],
    ['/ops/assets/ops.css', 'no-cache'],
    ['/docs/swagger-ui.css', 'public, max-age=3600'],
  ])('lets %s be stored as far as "%s" says', async (path, expected) => {
    expect((await call(api, 'GET', path)).headers.get('Cache-Control')).toBe(expected);
  });

  it('reports that it is alive', async () => {
    expect(await call(api, 'GET', '/livez')).toMatchObject({ status: 200, body: { status: 'ok' } });
  });

  it('answers HEAD where it answers GET', async () => {
    expect((await call(api, 'HEAD', '/v1/products')).status).toBe(200);
  });
});

describe('the documentation', () => {
  it('is shown by a page that loads nothing from other hosts', async () => {
    const page = await call(api, 'GET', '/docs');
    expect(page.status).toBe(200);
    const references = [...String(page.body).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => String(address));
    const assets = references.filter((address) => !address.startsWith('data:'));
    expect(assets.length).toBeGreaterThan(0);
    for (const asset of assets) {
      expect(asset).toMatch(/^\//);
      const { status, headers } = await call(api, 'GET', asset);
      expect(status).toBe(200);
      expect(headers.get('Content-Type')).toMatch(/css|javascript/);
    }
  });
});
