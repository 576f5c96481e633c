import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../../api/support/api.ts';
import { keepLog } from '../../support/kept-log.ts';

const { log, lines } = keepLog('warn');
let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ log });
});
afterAll(() => api.close());

const signIn = (key: string) =>
  fetch(`${api.url}/ops/sign-in`, {
    method: 'POST',
    headers: { Origin: api.url },
    body: new URLSearchParams({ key }),
    redirect: 'manual',
  });

describe('signing in', () => {
  it('accepts the right key, however many wrong ones came from the same address', async () => {
    for (let tries = 0; tries < 10; tries += 1) expect((await signIn('hf_guess')).status).toBe(401);
    const refused = await signIn(api.keys.customer.key);
    expect(refused.status).toBe(429);
    expect(refused.headers.get('Retry-After')).toBe('60');
    for (const { key } of [api.keys.operator, api.keys.support]) {
      const accepted = await signIn(key);
      expect(accepted.status).toBe(303);
      expect(accepted.headers.get('Set-Cookie')).toContain('holdfast_session=');
    }
  });

  it('logs the address of a failed one, and not the key', async () => {
    await signIn('hf_another_guess');
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ msg: 'sign-in refused', address: '127.0.0.1', requestId: expect.any(String) });
    expect(lines.join('')).not.toContain('hf_another_guess');
  });
});
