import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../../api/support/api.ts';
import { keepLog } from '../../support/kept-log.ts';

const { log, lines } = keepLog('warn');
let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ log, environment: { RATE_LIMIT: '500', TRUSTED_PROXIES: '127.0.0.1' } });
});
afterAll(() => api.close());

const signIn = (key: string, address = '192.0.2.1', { url } = api) =>
  fetch(`${url}/ops/sign-in`, {
    method: 'POST',
    headers: { Origin: url, 'X-Forwarded-For': address },
    body: new URLSearchParams({ key }),
    redirect: 'manual',
  });

describe('signing in', () => {
  it('accepts the right key, however many wrong ones came from the same address', async () => {
    for (let tries = 0; tries < 10; tries += 1) expect((await signIn('hf_guess')).status).toBe(401);
    const refused = await signIn(api.keys.customer.key);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('Retry-After'))).toBeGreaterThan(0);
    for (const { key } of [api.keys.operator, api.keys.support]) {
      const accepted = await signIn(key);
      expect(accepted.status).toBe(303);
      expect(accepted.headers.get('Set-Cookie')).toContain('holdfast_session=');
    }
  });

  it('counts wrong keys by network for IPv6, where a client has many addresses', async () => {
    const statuses: number[] = [];
    for (let n = 1; n <= 11; n += 1) statuses.push((await signIn('hf_guess', `2001:db8:0:1::${n}`)).status);
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 401), 429]);
    expect((await signIn('hf_guess', '2001:db8:0:2::1')).status).toBe(401);
  });

  it('is not limited with the rate limits off', async () => {
    const unlimited = await startTestApi();
    for (let tries = 0; tries <= 10; tries += 1) expect((await signIn('hf_guess', '192.0.2.3', unlimited)).status).toBe(401);
    await unlimited.close();
  });

  it('logs the address of a failed one, and not the key', async () => {
    await signIn('hf_another_guess', '192.0.2.2');
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ msg: 'sign-in refused', address: '192.0.2.2', requestId: expect.any(String) });
    expect(lines.join('')).not.toContain('hf_another_guess');
  });
});
