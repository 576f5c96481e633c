import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectDatabase } from '../../src/db/client.ts';
import { claimCommands, settleCommands } from '../../src/dispatch/outbox.ts';
import { createTestDatabase } from '../support/database.ts';

const testDatabase = await createTestDatabase();
// One connection, so that it knows what it has read.
const { db, close } = connectDatabase(testDatabase.url, { max: 1, name: 'test' });
afterAll(async () => {
  await close();
  await testDatabase.drop();
});

const BACKLOG = 3_000;
const BATCH = 25;

/** As after an outage: the statistics are from before, when nothing was waiting. */
beforeAll(async () => {
  await db.execute(sql`alter table commands set (autovacuum_enabled = off)`);
  await db.execute(sql`
    insert into commands (workflow_id, body, state, delivered_at)
    select 'order/d' || n / 3, '{"type": "update_shipment"}', 'delivered', now() from generate_series(1, 20000) as n`);
  await db.execute(sql`vacuum analyze commands`);
  await db.execute(sql`
    insert into commands (workflow_id, body)
    select 'order/p' || n, '{"type": "start_order"}' from generate_series(1, ${sql.raw(String(BACKLOG))}) as n`);
});

/** @returns how many rows of the outbox were read so far */
async function rowsRead(): Promise<number> {
  await db.execute(sql`select pg_stat_force_next_flush()`);
  const { rows } = await db.execute(sql`
    select (seq_tup_read + idx_tup_fetch)::int as rows from pg_stat_user_tables where relname = 'commands'`);
  return Number(rows[0]?.['rows']);
}

it('takes no longer for a batch because many commands wait', async () => {
  const before = await rowsRead();
  const claimed = await claimCommands(db, BATCH);
  expect(claimed).toHaveLength(BATCH);
  const settled = claimed.map(({ id, leasedUntil, attempts }) => ({ id, leasedUntil, attempts, state: 'delivered' as const, error: null }));
  expect((await settleCommands(db, settled)).written).toBe(BATCH);
  expect((await rowsRead()) - before).toBeLessThan(BACKLOG / 10);
});

it('says whether a later command of the same workflow waits', async () => {
  const settle = async () => {
    const claimed = await claimCommands(db, BATCH);
    return await settleCommands(db, claimed.map(({ id, leasedUntil, attempts }) => ({ id, leasedUntil, attempts, state: 'delivered', error: null })));
  };
  await db.execute(sql`delete from commands`);
  await db.execute(sql`
    insert into commands (workflow_id, body)
    select 'signup/f', jsonb_build_object('type', type) from unnest(array['start_signup', 'verify_signup']) as type`);
  expect(await settle()).toEqual({ written: 1, isFollowed: true });
  expect(await settle()).toEqual({ written: 1, isFollowed: false });
});
