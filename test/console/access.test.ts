import { expect, it } from 'vitest';
import { openSession } from '../../src/console/sign-in/sessions.ts';
import { revokeApiKey } from '../../src/operate/api-keys.ts';
import { insertApiKey } from '../../src/records/api-keys.ts';
import { useShop } from '../support/shop.ts';
import { createTestPages, ORIGIN } from './support/pages.ts';

const shop = await useShop();
const app = createTestPages(shop);

const { id, key } = await insertApiKey(shop.db, { name: 'former', role: 'operator' });
const ended = await openSession(shop.db, { keyId: id, role: 'operator' }, key);
await revokeApiKey(shop.db, id, { actor: 'test', reason: 'It has leaked.' });
const operator = await insertApiKey(shop.db, { name: 'an operator', role: 'operator' });

/** Anyone may see how to sign in, and what it looks like. */
const OPEN = /^\/ops\/(sign-in|assets\/)/;
const pages = app.routes.filter(({ method, path }) => method !== 'ALL' && !OPEN.test(path));

it('has pages and forms', () => {
  expect(pages.filter(({ method }) => method === 'GET').length).toBeGreaterThan(15);
  expect(pages.filter(({ method }) => method === 'POST').length).toBeGreaterThan(10);
});

it.each(pages)('needs a session that has not ended: $method $path', async ({ method, path }) => {
  const url = `${ORIGIN}${path.replaceAll(/:\w+/g, '0197d0a0-0000-7000-8000-000000000000')}`;
  const credentials: Record<string, string>[] = [
    {},
    { Cookie: 'holdfast_session=guess' },
    { Cookie: `holdfast_session=${ended}` },
    // Keys are for the API. A page that took them could be used without a sign-in.
    { Authorization: `Bearer ${operator.key}` },
  ];
  for (const headers of credentials) {
    const body = method === 'POST' ? new URLSearchParams({ csrf: 'guess', reason: 'r' }) : null;
    const { status, headers: answered } = await app.request(url, { method, body, headers: { Origin: ORIGIN, ...headers } });
    const found = { headers, status, leadsTo: answered.get('Location')?.split('?')[0] };
    // Otherwise, the browser would open the stream again and again.
    const refusal = path.endsWith('/live') ? { status: 204, leadsTo: undefined } : { status: 303, leadsTo: '/ops/sign-in' };
    expect(found).toEqual({ headers, ...refusal });
  }
});
