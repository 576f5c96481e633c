import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SignupStatus } from '../../src/contracts/statuses.ts';
import { commands, signups, verificationTokens } from '../../src/db/schema.ts';
import { newToken } from '../../src/records/tokens.ts';
import { call, freshKey, placeSignup, startTestApi, type TestApi } from './support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const asCustomer = () => ({ key: api.keys.customer.key });
const signUp = (email: string, headers = freshKey()) =>
  call(api, 'POST', '/v1/signups', { ...asCustomer(), body: { email, name: 'Ada' }, headers });
const setStatus = (id: string, status: SignupStatus) =>
  api.db.update(signups).set({ status }).where(eq(signups.id, id));
const giveToken = async (signupId: string) => {
  const { token, hash } = newToken();
  await api.db.insert(verificationTokens).values({ hash, signupId });
  return token;
};
const verify = (id: string, token: string) =>
  call(api, 'POST', `/v1/signups/${id}/verification`, { body: { token } });
const commandTypes = async (id: string) => {
  const rows = await api.db
    .select()
    .from(commands)
    .where(eq(commands.workflowId, `signup/${id}`))
    .orderBy(commands.id);
  return rows.map(({ body }) => body);
};

describe('signing up', () => {
  it('answers 202 with the signup and starts its workflow', async () => {
    const { status, headers, body } = await signUp('one@example.com');
    expect(status).toBe(202);
    const id = String(headers.get('Location')).replace('/v1/signups/', '');
    expect(body).toMatchObject({
      id,
      status: 'pending_verification',
      email: 'one@example.com',
    });
    expect((await call(api, 'GET', `/v1/signups/${id}`, asCustomer())).body).toEqual(body);
    expect(await commandTypes(id)).toEqual([{ type: 'start_signup', signupId: id, requestId: expect.any(String) }]);
  });

  it('tells staff where its run is, and not the customer', async () => {
    const id = await placeSignup(api, 'run@example.com');
    const readAs = async (key: string) => (await call(api, 'GET', `/v1/signups/${id}`, { key })).body;
    expect(await readAs(api.keys.support.key)).toMatchObject({
      links: { workflow: `http://ui.test/namespaces/default/workflows/signup%2F${id}` },
    });
    expect(JSON.stringify(await readAs(api.keys.customer.key))).not.toContain('ui.test');
  });

  it('creates one signup from ten duplicates sent at once', async () => {
    const headers = freshKey();
    const answers = await Promise.all(Array.from({ length: 10 }, () => signUp('dup@example.com', headers)));
    expect(new Set(answers.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1);
    expect(await api.db.$count(signups, eq(signups.email, 'dup@example.com'))).toBe(1);
  });

  it('refuses a second open signup of an address, in any letter case', async () => {
    await placeSignup(api, 'taken@example.com');
    const { status, body } = await signUp('Taken@Example.com');
    expect(status).toBe(409);
    expect(body).toMatchObject({ type: 'urn:holdfast:problem:email-taken', errors: [{ pointer: '/email' }] });
  });

  it('accepts one of two signups sent at once for an address', async () => {
    const answers = await Promise.all([signUp('race@example.com'), signUp('race@example.com')]);
    expect(answers.map(({ status }) => status)).toEqual(expect.arrayContaining([202, 409]));
  });

  it.each(['expired', 'ended'] as const)('frees the address of a signup that is %s', async (status) => {
    const id = await placeSignup(api, `${status}@example.com`);
    await setStatus(id, status);
    expect((await signUp(`${status}@example.com`)).status).toBe(202);
  });

  it('hides the signups of other callers', async () => {
    const id = await placeSignup(api, 'private@example.com');
    expect((await call(api, 'GET', `/v1/signups/${id}`, { key: api.keys.stranger.key })).status).toBe(404);
    expect((await call(api, 'GET', `/v1/signups/${id}`, { key: api.keys.support.key })).status).toBe(200);
  });
});

describe('verifying', () => {
  it('accepts a token once, and none of the signup afterwards', async () => {
    const id = await placeSignup(api, 'verify@example.com');
    const [first, second] = [await giveToken(id), await giveToken(id)];
    const { status, body } = await verify(id, second);
    expect(status).toBe(202);
    expect(body).toEqual({ id, status: 'verified' });
    expect((await call(api, 'GET', `/v1/signups/${id}`, asCustomer())).body).toMatchObject({
      status: 'verified',
      verifiedAt: expect.any(String),
    });
    expect((await verify(id, second)).status).toBe(422);
    expect((await verify(id, first)).status).toBe(422);
    expect((await commandTypes(id)).at(-1)).toEqual({ type: 'verify_signup', signupId: id });
  });

  it('signals the workflow once when a link is opened twice at once', async () => {
    const id = await placeSignup(api, 'twice@example.com');
    const token = await giveToken(id);
    const answers = await Promise.all([verify(id, token), verify(id, token)]);
    expect(answers.map(({ status }) => status)).toEqual(expect.arrayContaining([202, 422]));
    expect(await commandTypes(id)).toHaveLength(2);
  });

  it('refuses the token of another signup', async () => {
    const id = await placeSignup(api, 'mine@example.com');
    const token = await giveToken(await placeSignup(api, 'other@example.com'));
    const { status, body } = await verify(id, token);
    expect(status).toBe(422);
    expect(body).toMatchObject({ errors: [{ pointer: '/token' }] });
  });

  it('is refused once the signup has expired', async () => {
    const id = await placeSignup(api, 'late@example.com');
    const token = await giveToken(id);
    await setStatus(id, 'expired');
    expect((await verify(id, token)).status).toBe(409);
  });

  it('answers 404 for an unknown signup', async () => {
    expect((await verify('0197d0a0-0000-7000-8000-000000000000', 'x')).status).toBe(404);
  });
});

describe('subscribing', () => {
  it('turns a trial into a subscription, once', async () => {
    const id = await placeSignup(api, 'trial@example.com');
    await setStatus(id, 'trial');
    const subscribe = () => call(api, 'POST', `/v1/signups/${id}/subscription`, asCustomer());
    const first = await subscribe();
    expect(first.status).toBe(202);
    expect(first.body).toMatchObject({ status: 'subscribed', subscribedAt: expect.any(String) });
    expect((await subscribe()).status).toBe(409);
    expect((await commandTypes(id)).at(-1)).toEqual({ type: 'subscribe_signup', signupId: id });
  });

  it('needs a trial', async () => {
    const id = await placeSignup(api, 'early@example.com');
    expect((await call(api, 'POST', `/v1/signups/${id}/subscription`, asCustomer())).status).toBe(409);
  });
});
