import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { openSession } from '../../../src/console/sign-in/sessions.ts';
import { insertApiKey } from '../../../src/records/api-keys.ts';
import { useShop } from '../../support/shop.ts';
import { createTestPages, ORIGIN } from '../support/pages.ts';

const shop = await useShop();

it('counts every failure that is open, each group of them, and up to a thousand that are closed', async () => {
  await shop.db.execute(sql`
    insert into failures (id, kind, status, workflow_id, step, error_type, error_message, attempts, closed_at)
    select ('00000000-0000-7000-8000-' || lpad(to_hex(n + case status when 'open' then 0 else 5000 end), 12, '0'))::uuid, 'step', status, 'order/' || n, 'ship',
      case when n <= 3 then 'invalid_request' else 'warehouse_unavailable' end, 'm', 1, case when status = 'resolved' then now() end
    from generate_series(1, 1005) as n, unnest(array['open', 'resolved']) as status`);
  const app = createTestPages(shop);
  const { id, key } = await insertApiKey(shop.db, { name: 'an operator', role: 'operator' });
  const Cookie = `holdfast_session=${await openSession(shop.db, { keyId: id, role: 'operator' }, key)}`;
  const read = async (query: string) => {
    const page = await (await app.request(`${ORIGIN}/ops/failures${query}`, { headers: { Cookie } })).text();
    return { total: /([\d,+]+) matching failures/.exec(page)?.[1], groups: [...page.matchAll(/<strong>([\d,+]+)<\/strong> Step: ship · ([a-z ]+)/g)].map(([, n, error]) => [n, error]) };
  };
  expect(await read('')).toEqual({ total: '1,005', groups: [['1,002', 'warehouse unavailable'], ['3', 'invalid request']] });
  expect(await read('?status=resolved')).toEqual({ total: '1,000+', groups: [['1,000+', 'warehouse unavailable']] });
  expect(await read('?status=resolved&errorType=invalid_request')).toEqual({ total: '3', groups: [['3', 'invalid request']] });
});
