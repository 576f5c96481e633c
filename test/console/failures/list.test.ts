import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { openSession } from '../../../src/console/sign-in/sessions.ts';
import { insertApiKey } from '../../../src/records/api-keys.ts';
import { useShop } from '../../support/shop.ts';
import { createTestPages, ORIGIN } from '../support/pages.ts';

const shop = await useShop();

it('counts up to ten thousand failures, and says that there are more of each group', async () => {
  await shop.db.execute(sql`
    insert into failures (id, kind, status, workflow_id, step, error_type, error_message, attempts)
    select gen_random_uuid(), 'step', 'open', 'order/' || n, 'ship', case when n <= 3 then 'invalid_request' else 'warehouse_unavailable' end, 'm', 1
    from generate_series(1, 10005) as n`);
  const app = createTestPages(shop);
  const { id, key } = await insertApiKey(shop.db, { name: 'an operator', role: 'operator' });
  const Cookie = `holdfast_session=${await openSession(shop.db, { keyId: id, role: 'operator' }, key)}`;
  const open = async (query: string) => (await app.request(`${ORIGIN}/ops/failures${query}`, { headers: { Cookie } })).text();
  const all = await open('');
  expect(all).toContain('10,000+ matching failures');
  expect(/<strong>([^<]*)<\/strong> Step: ship · warehouse unavailable/.exec(all)?.[1]).toMatch(/^[\d,]+\+$/);
  const few = await open('?status=open&errorType=invalid_request');
  expect(few).toContain('3 matching failures');
  expect(few).toContain('<strong>3</strong>');
});
