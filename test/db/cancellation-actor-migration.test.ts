import { asc, sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { orderWorkflowId } from '../../src/contracts/ids.ts';
import { migrate } from '../../src/db/migrate.ts';
import { orders } from '../../src/db/schema.ts';
import { useEarlierDatabase } from '../support/earlier-database.ts';

const { db, url } = await useEarlierDatabase({ migrations: 20 });

const KEY = '0197d0a0-0000-7000-8000-00000000000a';
const CANCELLED = '0197d0a0-0000-7000-8000-00000000000b';
const PRUNED = '0197d0a0-0000-7000-8000-00000000000c';
const REFUSED = '0197d0a0-0000-7000-8000-00000000000d';

it('takes who cancelled an order from its command, where that is still kept', async () => {
  await db.execute(sql`insert into api_keys (id, name, role, secret_hash) values (${KEY}, 'test', 'customer', 'hash')`);
  for (const [id, reason] of [[CANCELLED, 'changed my mind'], [PRUNED, 'changed my mind'], [REFUSED, null]]) {
    await db.execute(sql`insert into orders (id, owner, status, cancellation_reason, amount, currency, payment_method, customer_email, customer_name, line1, city, postal_code, country)
      values (${id}, ${KEY}, 'fulfilling', ${reason}, 100, 'EUR', 'pm', 'a@example.com', 'A', 'l', 'c', 'p', 'GB')`);
  }
  for (const [id, actor] of [[CANCELLED, 'key:first'], [CANCELLED, 'key:second'], [REFUSED, 'key:first']] as const) {
    const body = { type: 'cancel_order', orderId: id, message: { actor } };
    await db.execute(sql`insert into commands (workflow_id, body, state) values (${orderWorkflowId(id)}, ${JSON.stringify(body)}::jsonb, 'delivered')`);
  }

  await migrate(url);

  const actors = db.select({ id: orders.id, actor: orders.cancellationActor }).from(orders).orderBy(asc(orders.id));
  expect(await actors).toEqual([
    { id: CANCELLED, actor: 'key:second' },
    { id: PRUNED, actor: null },
    { id: REFUSED, actor: null },
  ]);
});
