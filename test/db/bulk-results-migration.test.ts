import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { migrate } from '../../src/db/migrate.ts';
import { readBulkAction, listBulkActionItems } from '../../src/queries/bulk-actions.ts';
import { useEarlierDatabase } from '../support/earlier-database.ts';

const { db, url } = await useEarlierDatabase({ migrations: 28 });
const id = (n: number) => `0197d0a0-0000-7000-8000-${String(n).padStart(12, '0')}`;

it('gives earlier items the results that were shown for them, and keeps those that are under way', async () => {
  await db.execute(sql`insert into api_keys (id, name, role) values (${id(0)}, 'test', 'customer')`);
  const order = (n: number, status: string, generation: number) =>
    db.execute(sql`insert into orders (id, owner, generation, status, amount, currency, payment_method, customer_email, customer_name, line1, city, postal_code, country)
      values (${id(n)}, ${id(0)}, ${generation}, ${status}, 100, 'EUR', 'pm', 'a@example.com', 'A', 'l', 'c', 'p', 'GB')`);
  const failure = (n: number, status: string, occurrence: number) =>
    db.execute(sql`insert into failures (id, kind, status, workflow_id, step, error_type, error_message, attempts, occurrence)
      values (${id(n)}, 'step', ${status}, ${`w${n}`}, 'ship', 'e', 'm', 1, ${occurrence})`);
  const bulkAction = (n: number, action: string, state: string) =>
    db.execute(sql`insert into bulk_actions (id, action, state, request, reason, actor, rate_per_second)
      values (${id(n)}, ${action}, ${state}, ${JSON.stringify({ action, ids: [] })}::jsonb, 'r', 'key:1', 5)`);
  await bulkAction(100, 'retry', 'completed');
  await bulkAction(101, 'restart', 'cancelled');
  const failures = [['open', 2], ['resolved', 1], ['cancelled', 1], ['retrying', 1], ['open', 1]] as const;
  for (const [n, [status, occurrence]] of failures.entries()) {
    await failure(n, status, occurrence);
    await db.execute(sql`insert into bulk_action_items (bulk_action_id, position, failure_id, state, occurrence, acted_at)
      values (${id(100)}, ${n}, ${id(n)}, ${n === 4 ? 'refused' : 'requested'}, 1, now())`);
  }
  const orders = [['failed', 2], ['accepted', 3], ['completed', 2], ['reserved', 2], ['failed', 1]] as const;
  for (const [n, [status, generation]] of orders.entries()) {
    await order(n + 10, status, generation);
    await db.execute(sql`insert into bulk_action_items (bulk_action_id, position, order_id, state, generation, acted_at)
      values (${id(101)}, ${n}, ${id(n + 10)}, ${n === 4 ? 'pending' : 'requested'}, ${n === 4 ? null : 2}, ${n === 4 ? null : sql`now()`})`);
  }

  await migrate(url);

  const outcomes = async (n: number) => (await listBulkActionItems(db, id(n), { limit: 10 })).map(({ outcome }) => outcome);
  expect(await outcomes(100)).toEqual(['failed_again', 'succeeded', 'cancelled', 'waiting', 'skipped']);
  expect(await outcomes(101)).toEqual(['failed_again', 'failed_again', 'succeeded', 'waiting', 'skipped']);
  expect(await readBulkAction(db, id(100))).toMatchObject({ progress: { total: 5, requested: 4, pending: 0 } });
});
