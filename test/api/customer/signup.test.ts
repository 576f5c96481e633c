import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { commands, signups, verificationTokens } from '../../../src/db/schema.ts';
import type { SignupStatus } from '../../../src/contracts/statuses.ts';
import { newToken } from '../../../src/records/tokens.ts';
import { placeSignup, startTestApi, type TestApi } from '../support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ environment: { RATE_LIMIT: '30' } });
});
afterAll(() => api.close());

let serial = 0;
/** Signs up. @returns the link that the email has */
async function signedUp(status: SignupStatus = 'pending_verification') {
  const id = await placeSignup(api, `ada-${(serial += 1)}@example.com`);
  const { token, hash } = newToken();
  await api.db.insert(verificationTokens).values({ hash, signupId: id });
  await api.db.update(signups).set({ status }).where(eq(signups.id, id));
  return { id, link: `/my/signups/${id}/${token}` };
}

async function open(path: string, method = 'GET') {
  const response = await fetch(`${api.url}${path}`, { method, redirect: 'manual' });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const statusOf = async (id: string) => (await api.db.select().from(signups).where(eq(signups.id, id)))[0]?.status;

it('verifies the address when the button is pressed, not when a mail program opens the link', async () => {
  const { id, link } = await signedUp();
  const shown = await open(link);
  expect(shown.text).toContain('Verify my address');
  expect(shown.headers.get('Referrer-Policy')).toBe('no-referrer');
  expect(await statusOf(id)).toBe('pending_verification');
  for (let times = 0; times < 2; times += 1) {
    const pressed = await open(link, 'POST');
    expect(pressed.status).toBe(303);
    expect(pressed.headers.get('Location')).toBe(link);
  }
  expect(await statusOf(id)).toBe('verified');
  expect(await api.db.$count(commands, eq(commands.workflowId, `signup/${id}`))).toBe(2);
  expect((await open(link)).text).toContain('Your address is verified');
});

it('is verified once by two presses at the same moment, and both see that it is', async () => {
  const { id, link } = await signedUp();
  const presses = await Promise.all([open(link, 'POST'), open(link, 'POST')]);
  expect(presses.map(({ status }) => status)).toEqual([303, 303]);
  expect(await api.db.$count(commands, eq(commands.workflowId, `signup/${id}`))).toBe(2);
});

it('says that a signup has ended', async () => {
  const { id, link } = await signedUp('expired');
  expect(await open(link)).toMatchObject({ status: 409, text: expect.stringContaining('This signup has ended') });
  expect((await open(link, 'POST')).status).toBe(303);
  expect(await statusOf(id)).toBe('expired');
});

it('is a plain 404 for a token that is wrong, or of another signup', async () => {
  const [one, other] = [await signedUp(), await signedUp()];
  const token = one.link.split('/').at(-1);
  for (const path of [`${one.link}A`, `/my/signups/${other.id}/${token}`, `/my/signups/seven/${token}`]) {
    for (const method of ['GET', 'POST']) {
      const { status, text } = await open(path, method);
      expect({ path, status }).toEqual({ path, status: 404 });
      expect(text).toContain('<h1>This link does not work</h1>');
    }
  }
  expect(await statusOf(other.id)).toBe('pending_verification');
});

it.each(['/my', '/my/orders', '/my/orders/0197d0a0-0000-7000-8000-000000000000', '/my/signups/0197d0a0-0000-7000-8000-000000000000', '/my/orders/a/b/c/d'])(
  'is a page that says so, for a link that was cut: %s',
  async (path) => {
    const { status, text, headers } = await open(path);
    expect(status).toBe(404);
    expect(text).toContain('<h1>This link does not work</h1>');
    expect(text).toContain('It may be incomplete, or too old.');
    expect(headers.get('Cache-Control')).toBe('no-store');
  },
);

it('is limited per signup, however right the token is', async () => {
  const { link } = await signedUp();
  const answers = await Promise.all(Array.from({ length: 40 }, () => open(link)));
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused[0]?.headers.get('Retry-After')).toMatch(/^\d+$/);
});
