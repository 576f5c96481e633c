import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRateLimits } from '../../src/api/rate-limits.ts';
import { openSession } from '../../src/console/sign-in/sessions.ts';
import { call, placeOrder, placeSignup, startTestApi, type TestApi } from './support/api.ts';

const QUOTA = 30;

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ environment: { RATE_LIMIT: String(QUOTA), TRUSTED_PROXIES: '127.0.0.1' } });
});
afterAll(() => api.close());

/** Lists orders as a client with an address. */
const list = (key: string, address: string) => call(api, 'GET', '/v1/orders', { key, headers: { 'X-Forwarded-For': address } });
const times = async <Answer>(count: number, ask: () => Promise<Answer>): Promise<Answer[]> => {
  const answers: Answer[] = [];
  for (let n = 0; n < count; n += 1) answers.push(await ask());
  return answers;
};
const statuses = (answers: { status: number }[]) => answers.map(({ status }) => status);

describe('the requests of a key', () => {
  it('are limited, and each answer says how many are left', async () => {
    const first = await list(api.keys.stranger.key, '192.0.2.1');
    expect(first.headers.get('RateLimit-Policy')).toBe(`"key";q=${QUOTA};w=10`);
    expect(first.headers.get('RateLimit')).toMatch(new RegExp(`^"key";r=${QUOTA - 1};t=(10|9)$`));
    expect(statuses(await times(QUOTA - 1, () => list(api.keys.stranger.key, '192.0.2.1')))).toEqual(Array.from({ length: QUOTA - 1 }, () => 200));
    const refused = await list(api.keys.stranger.key, '192.0.2.2');
    expect(refused).toMatchObject({ status: 429, body: { type: 'urn:holdfast:problem:too-many-requests' } });
    expect(Number(refused.headers.get('Retry-After'))).toBeGreaterThan(0);
  });

  it('count once for an operation of operators, and also when its role is refused', async () => {
    const ask = (key: string) => call(api, 'GET', '/v1/ops/failures', { key });
    expect((await ask(api.keys.operator.key)).headers.get('RateLimit')).toContain(`r=${QUOTA - 1};`);
    const refused = await ask(api.keys.support.key);
    expect(refused.status).toBe(403);
    expect(refused.headers.get('RateLimit')).toContain(`r=${QUOTA - 1};`);
  });

  it('do not count for another key at the same address', async () => {
    expect((await list(api.keys.customer.key, '192.0.2.1')).status).toBe(200);
  });
});

describe('wrong credentials', () => {
  it('are limited by address, and a right key is accepted all the same', async () => {
    const guess = () => list('hf_wrong', '192.0.2.10');
    expect(new Set(statuses(await times(20, guess)))).toEqual(new Set([401]));
    const refused = await guess();
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('Retry-After'))).toBeGreaterThan(0);
    expect((await list(api.keys.support.key, '192.0.2.10')).status).toBe(200);
    expect((await list('hf_wrong', '192.0.2.11')).status).toBe(401);
  });

  it('are limited by network for IPv6, where a client has many addresses', async () => {
    let last = 0;
    for (let n = 1; n <= 21; n += 1) last = (await list('hf_wrong', `2001:db8:0:1::${n}`)).status;
    expect(last).toBe(429);
    expect((await list('hf_wrong', '2001:db8:0:2::1')).status).toBe(401);
  });

  it('include the tokens of emails and the signatures of webhooks', async () => {
    const id = await placeSignup(api, 'guessed@example.com');
    const headers = { 'X-Forwarded-For': '192.0.2.20' };
    const token = () => call(api, 'POST', `/v1/signups/${id}/verification`, { body: { token: 'guess' }, headers });
    const signature = () => call(api, 'POST', '/v1/webhooks/warehouse', { body: {}, headers });
    expect(statuses(await times(10, token))).toEqual(Array.from({ length: 10 }, () => 422));
    expect(statuses(await times(10, signature))).toEqual(Array.from({ length: 10 }, () => 401));
    expect((await token()).status).toBe(429);
    expect((await signature()).status).toBe(429);
  });

  it('do not count requests without any', async () => {
    const answers = await times(25, () => call(api, 'GET', '/v1/orders', { headers: { 'X-Forwarded-For': '192.0.2.30' } }));
    expect(new Set(statuses(answers))).toEqual(new Set([401]));
  });
});

describe('the streams of a key', () => {
  it('are limited to those that are open at once', () => {
    const limits = createRateLimits(QUOTA, () => '192.0.2.1');
    const open = Array.from({ length: 500 }, () => limits.openStream('one'));
    expect(() => limits.openStream('one')).toThrow(expect.objectContaining({ type: 'too_many_requests' }));
    limits.openStream('another')();
    open[0]?.();
    limits.openStream('one')();
  });

  it("include those of the operator's page", async () => {
    const busy = await startTestApi({ environment: { RATE_LIMIT: '2000' } });
    const { id, key } = busy.keys.operator;
    const cookie = `holdfast_session=${await openSession(busy.db, { keyId: id, role: 'operator' }, key)}`;
    const orderId = await placeOrder(busy);
    const leaving = new AbortController();
    const follow = (path: string, headers: Record<string, string>) => fetch(`${busy.url}${path}`, { headers, signal: leaving.signal });
    const open = await Promise.all(Array.from({ length: 500 }, () => follow(`/v1/orders/${orderId}/events`, { Authorization: `Bearer ${key}` })));
    expect(new Set(statuses(open))).toEqual(new Set([200]));
    const refused = await follow('/ops/live', { Cookie: cookie });
    expect(refused.status).toBe(429);
    expect(refused.headers.get('Retry-After')).toBe('1');
    leaving.abort();
    const afterwards = async () => {
      const { status, body } = await fetch(`${busy.url}/ops/live`, { headers: { Cookie: cookie } });
      await body?.cancel();
      return status;
    };
    await expect.poll(afterwards).toBe(200);
    await busy.close();
  }, 60_000);
});
