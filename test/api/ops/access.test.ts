import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { call, startTestApi, type TestApi } from '../support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const documentSchema = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.object({ security: z.array(z.object({ apiKey: z.array(z.string()) })) }).partial())),
});

describe('the operations', () => {
  it('are for operators only, and are documented as such', async () => {
    const { paths } = documentSchema.parse((await call(api, 'GET', '/openapi.json')).body);
    const operations = Object.entries(paths)
      .filter(([path]) => path.startsWith('/v1/ops/'))
      .flatMap(([path, methods]) => Object.entries(methods).map(([method, { security }]) => ({ path, method, security })));
    expect(operations.length).toBeGreaterThanOrEqual(29);
    for (const { path, method, security } of operations) {
      expect(security).toEqual([{ apiKey: [] }]);
      const address = path.replace('{id}', '0197d0a0-0000-7000-8000-000000000000');
      const status = async (key?: string) =>
        (await call(api, method.toUpperCase(), address, { ...(key === undefined ? {} : { key }), ...(method === 'post' ? { body: {} } : {}) })).status;
      expect(await status()).toBe(401);
      expect(await status(api.keys.customer.key)).toBe(403);
      expect(await status(api.keys.support.key)).toBe(403);
    }
  });
});
