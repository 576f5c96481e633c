import { OpenAPIHono } from '@hono/zod-openapi';
import { afterEach, expect, it, vi } from 'vitest';
import type { ApiEnv } from '../../../src/api/environment.ts';
import { mountShopWindow } from '../../../src/sandbox/shop/window.tsx';

// Nothing listens there.
const NOWHERE = 'http://127.0.0.1:9';
const settings = { apiUrl: NOWHERE, customerKey: 'hf_customer', inboxUrl: null, temporalUiUrl: null, paymentsUrl: null, warehouseUrl: null };

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
