import { afterAll, beforeAll, expect, it } from 'vitest';
import { statusAs } from '../support/host-header.ts';
import { startTestApi, type TestApi } from './support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ environment: { PUBLIC_URL: 'https://shop.example', ALLOWED_HOSTS: 'api.internal' } });
});
afterAll(() => api.close());

const PATHS = ['/livez', '/v1/products', '/docs', '/ops/sign-in'];

it.each(['localhost:3000', 'shop.example', 'api.internal:3000', '10.0.0.7:3000'])('the API answers as %s', async (host) => {
  for (const path of PATHS) expect(await statusAs(host, `${api.url}${path}`)).toBe(200);
});

it('answers as nothing else, so that a name that was made to point here reaches nothing', async () => {
  for (const path of PATHS) expect(await statusAs('evil.example', `${api.url}${path}`)).toBe(421);
});
