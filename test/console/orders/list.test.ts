import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { openSession } from '../../../src/console/sign-in/sessions.ts';
import { insertApiKey } from '../../../src/records/api-keys.ts';
import { useShop } from '../../support/shop.ts';
import { createTestPages, ORIGIN } from '../support/pages.ts';

const shop = await useShop();

async function signedIn() {
  const app = createTestPages(shop);
  const { id, key } = await insertApiKey(shop.db, { name: 'an operator', role: 'operator' });
  const Cookie = `holdfast_session=${await openSession(shop.db, { keyId: id, role: 'operator' }, key)}`;
  return async (path: string) => (await app.request(`${ORIGIN}${path}`, { headers: { Cookie } })).text();
}

it('counts up to a thousand orders, and offers all of them', async () => {
  await shop.db.execute(sql`
    insert into orders (id, owner, status, amount, currency, payment_method, customer_email, customer_name, line1, city, postal_code, country)
    select gen_random_uuid(), ${shop.caller.keyId}, case when n <= 2 then 'cancelled' else 'failed' end, 100, 'EUR', 'pm', 'a@example.com', 'a', 'l', 'c', 'p', 'GB'
    from generate_series(1, 1003) as n`);
  const open = await signedIn();
  const failed = await open('/ops/orders?status=failed');
  expect(failed).toContain('1,000+ matching orders');
  expect(failed).toContain('All 1,000+ matching');
  expect(await open('/ops/orders?status=cancelled')).toContain('2 matching orders');
  const file = await open('/ops/orders.csv?status=failed');
  expect(file.trimEnd().split('\r\n')).toHaveLength(1 + 1001);
});
