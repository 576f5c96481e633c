import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readFailureGroups } from '../../src/alerts/failure-groups.ts';
import { createPruneActivities } from '../../src/activities/prune.ts';
import { createReportActivities } from '../../src/activities/report.ts';
import { connectDatabase, type Database } from '../../src/db/client.ts';
import { transaction } from '../../src/db/transaction.ts';
import { createLogger } from '../../src/log.ts';
import { readAttention } from '../../src/queries/attention.ts';
import { readBacklogPeaks } from '../../src/queries/backlog.ts';
import { countFailures } from '../../src/queries/failures.ts';
import { find } from '../../src/queries/find.ts';
import { readLatencies } from '../../src/queries/latency.ts';
import { countOrders, searchOrders } from '../../src/queries/orders.ts';
import { readSeries } from '../../src/queries/series.ts';
import { createCaller } from '../support/caller.ts';
import { createTestDatabase } from '../support/database.ts';
import { runActivity } from '../support/shop.ts';

const testDatabase = await createTestDatabase();
// One connection, so that it knows what it has scanned.
const { db, close } = connectDatabase(testDatabase.url, { max: 1, name: 'test' });
afterAll(async () => {
  await close();
  await testDatabase.drop();
});

const ORDERS = 100_000;

const TABLES = [
  'orders',
  'order_events',
  'payments',
  'refunds',
  'shipments',
  'invoices',
  'commands',
  'signups',
  'verification_tokens',
  'webhook_events',
  'idempotency_keys',
  'failures',
];

/** An order every ten minutes, for two years. Of what is pruned there is one row every six seconds, and some are old. */
beforeAll(async () => {
  const { keyId } = await createCaller(db, 'customer');
  const at = sql.raw(`now() - (${ORDERS} - n) * interval '10 minutes'`);
  const recently = sql.raw(
    `now() - (${ORDERS} - n) * interval '6 seconds' - case when n <= 1000 then interval '60 days' else interval '0' end`,
  );
  const rows = sql.raw(`generate_series(1, ${ORDERS}) as n`);
  const id = sql.raw(`md5(n::text)::uuid`);
  await db.execute(sql`set session_replication_role = replica`);
  await db.execute(sql`
    insert into orders (id, owner, status, amount, currency, payment_method, customer_email, customer_name, line1, city, postal_code, country, created_at, updated_at)
    select ${id}, ${keyId}, 'completed', 100, 'EUR', 'pm', 'a@example.com', 'a', 'l', 'c', 'p', 'GB', ${at}, ${at} from ${rows}`);
  await db.execute(sql`
    insert into order_events (order_id, generation, status, created_at)
    select ${id}, 1, status, ${at} from ${rows}, unnest(array['accepted', 'charged', 'shipped', 'completed']) as status`);
  await db.execute(sql`
    insert into payments (id, order_id, generation, state, amount, currency, captured, captured_at, created_at)
    select ${id}, ${id}, 1, 'captured', 100, 'EUR', 100, ${at}, ${at} from ${rows}`);
  await db.execute(sql`
    insert into refunds (provider_refund_id, payment_id, amount, status, created_at)
    select n::text, ${id}, 1, 'succeeded', ${at} from ${rows}`);
  await db.execute(sql`
    insert into shipments (order_id, generation, state, warehouse_id, tracking_number) select ${id}, 1, 'delivered', n::text, n::text from ${rows}`);
  await db.execute(sql`
    insert into invoices (number, order_id, generation, amount, currency) select n, ${id}, 1, 100, 'EUR' from ${rows}`);
  await db.execute(sql`
    insert into commands (workflow_id, body, state, created_at, delivered_at)
    select 'order/' || n, '{}', 'delivered', ${recently}, ${recently} from ${rows}`);
  await db.execute(sql`
    insert into signups (id, owner, email, name, status, created_at)
    select ${id}, ${keyId}, n || '@example.com', 'a', 'subscribed', ${at} from ${rows}`);
  await db.execute(sql`
    insert into verification_tokens (hash, signup_id, created_at) select n::text, ${id}, ${recently} from ${rows}`);
  await db.execute(sql`
    insert into webhook_events (source, event_id, type, received_at) select 'warehouse', n::text, 't', ${recently} from ${rows}`);
  await db.execute(sql`
    insert into idempotency_keys (owner, key, request_hash, location, body, created_at)
    select ${keyId}, n::text, 'h', 'l', '{}', ${recently} from ${rows}`);
  await db.execute(sql`
    insert into failures (id, kind, status, workflow_id, step, error_type, error_message, attempts, first_seen_at)
    select ${id}, 'step', case when n % 1000 = 0 then 'open' else 'resolved' end, 'order/' || n, 'ship', 'down', 'm', 1, ${at} from ${rows}`);
  await db.execute(sql`vacuum analyze`);
}, 300_000);

const log = createLogger('test', 'fatal');
const HOUR = 3_600_000;
const lastHour = () => Array.from({ length: 60 }, (_, minute) => new Date(Date.now() - HOUR + minute * 60_000));

const completedLately = () => ({ reached: 'completed' as const, from: new Date(Date.now() - HOUR).toISOString(), to: new Date().toISOString() });

const readers: [string, (reader: Database) => Promise<unknown>][] = [
  ['the chart of the last hour', (reader) => readSeries(reader, 'hour')],
  ['the orders that a bar counts', (reader) => searchOrders(reader, completedLately(), { limit: 50 })],
  ['how many these are', (reader) => countOrders(reader, completedLately())],
  ['the orders that were ever parked', (reader) => searchOrders(reader, { reached: 'needs_attention' }, { limit: 50 })],
  ['how many were ever parked', (reader) => countOrders(reader, { reached: 'needs_attention' })],
  ['the orders that were ever completed', (reader) => searchOrders(reader, { reached: 'completed' }, { limit: 50 })],
  ['the number of failures', (reader) => countFailures(reader, {}, 1_000)],
  ['the latency of orders', readLatencies],
  ['the backlog', (reader) => readBacklogPeaks(reader, lastHour())],
  ['what needs attention', (reader) => readAttention(reader)],
  ['an order by its short number', (reader) => find(reader, '0f1e2d3c')],
  ['an order by a tracking number', (reader) => find(reader, 'SBX-12345')],
  ['the groups of failures', (reader) => transaction(reader, readFailureGroups)],
  [
    'the weekly report',
    (reader) =>
      runActivity(() =>
        createReportActivities({ db: reader }).compileWeeklyReport({ scheduledAt: new Date().toISOString(), timeZone: 'UTC' }),
      ),
  ],
  ['pruning', (reader) => runActivity(() => createPruneActivities({ db: reader, log }).pruneFinishedWork())],
];

async function sequentialScans(): Promise<Map<unknown, number>> {
  await db.execute(sql`select pg_stat_force_next_flush()`);
  const { rows } = await db.execute(
    sql`select relname, seq_scan::int as scans from pg_stat_user_tables where relname in ${TABLES}`,
  );
  return new Map(rows.map(({ relname, scans }) => [relname, Number(scans)]));
}

it.each(readers)('%s is read through indexes, among a hundred thousand orders', async (_, read) => {
  const before = await sequentialScans();
  expect(before.size).toBe(TABLES.length);
  await read(db);
  expect(await sequentialScans()).toEqual(before);
});
