import { OpenAPIHono } from '@hono/zod-openapi';
import { afterEach, expect, it, vi } from 'vitest';
import type { ApiEnv } from '../../../src/api/environment.ts';
import { mountShopWindow } from '../../../src/sandbox/shop/window.tsx';

// Nothing listens there.
const NOWHERE = 'http://127.0.0.1:9';
const settings = {
  apiUrl: NOWHERE,
  customerKey: 'hf_customer',
  inboxUrl: null,
  temporalUiUrl: null,
  namespace: 'default',
  paymentsUrl: null,
  warehouseUrl: null,
  approvalThreshold: 50_000,
};

afterEach(() => vi.unstubAllEnvs());

it('is not mounted in production', () => {
  vi.stubEnv('NODE_ENV', 'production');
  expect(() => mountShopWindow(new OpenAPIHono<ApiEnv>(), settings)).toThrow('There is no shop window with NODE_ENV=production.');
});

it('is closed while the API does not answer', async () => {
  const api = new OpenAPIHono<ApiEnv>();
  mountShopWindow(api, settings);
  const answer = await api.request('/');
  expect(answer.status).toBe(503);
  expect(await answer.text()).toContain('The shop is closed for a moment');
});

it.each(['http://10.0.0.7:3000', 'http://shop.example', 'http://[fd00::7]:3000'])('does not exist for those who reach it as %s', async (origin) => {
  const api = new OpenAPIHono<ApiEnv>();
  api.notFound((c) => c.text('nothing here', 404));
  mountShopWindow(api, settings);
  for (const [method, path] of [['GET', '/'], ['GET', '/shop/assets/shop.css'], ['POST', '/shop/orders']] as const) {
    const answer = await api.request(`${origin}${path}`, { method });
    expect(answer.status).toBe(404);
    expect(await answer.text()).toBe('nothing here');
  }
});

it.each(['http://localhost:3000', 'http://127.0.0.1:3000', 'http://[::1]:3000'])('exists for those who reach it as %s', async (origin) => {
  const api = new OpenAPIHono<ApiEnv>();
  mountShopWindow(api, settings);
  expect((await api.request(`${origin}/shop/assets/shop.css`)).status).toBe(200);
});
