import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectDatabase } from '../../src/db/client.ts';
import { claimCommands, settleCommands, type Claim, type ClaimedCommand } from '../../src/dispatch/outbox.ts';
import { createTestDatabase } from '../support/database.ts';

const testDatabase = await createTestDatabase();
// One connection, so that it knows what it has read.
const { db, close } = connectDatabase(testDatabase.url, { max: 1, name: 'test' });
afterAll(async () => {
  await close();
  await testDatabase.drop();
});

const BATCH = 25;

/** Whose commands wait. The first one has the lowest id. */
const owners = Array.from({ length: 2_000 }, () => randomUUID()).toSorted();
const [first = '', second = '', third = ''] = owners;

/** Writes so many commands of each owner, or of none, which are due. */
const wait = (count: number, ...of: (string | null)[]): Promise<unknown> =>
  db.execute(sql`
    insert into commands (workflow_id, owner, body)
    select 'order/' || gen_random_uuid(), owner::uuid, '{"type": "start_order"}'
    from json_array_elements_text(${JSON.stringify(of)}::json) as owner, generate_series(1, ${count}::int)`);

const settle = (claimed: ClaimedCommand[]) =>
  settleCommands(db, claimed.map(({ id, leasedUntil, attempts }) => ({ id, leasedUntil, attempts, state: 'delivered', error: null })));

const claimNext = (last?: Claim): Promise<Claim> => claimCommands(db, { ownerless: BATCH, owned: BATCH, after: last?.lastOwner });

const mayHaveMore = (claim: Claim | undefined): boolean => !claim || claim.isMore.ownerless || claim.isMore.owned;

/** Claims and delivers as a dispatcher does. @returns the owners of the commands in each claim */
async function claimAll(most = Infinity): Promise<(string | null)[][]> {
  const claims: (string | null)[][] = [];
  for (let claim: Claim | undefined; claims.length < most && mayHaveMore(claim); ) {
    claim = await claimNext(claim);
    claims.push(claim.claimed.map(({ owner }) => owner));
    if (claim.claimed.length > 0) await settle(claim.claimed);
  }
  return claims;
}

const claimAndSettle = async () => settle((await claimNext()).claimed);

/** @returns how many rows of the outbox were read so far, and whether it was read without an index */
async function read(): Promise<{ rows: number; scans: number }> {
  await db.execute(sql`select pg_stat_force_next_flush()`);
  const { rows } = await db.execute(sql`
    select (seq_tup_read + idx_tup_fetch)::int as rows, seq_scan::int as scans from pg_stat_user_tables where relname = 'commands'`);
  return { rows: Number(rows[0]?.['rows']), scans: Number(rows[0]?.['scans']) };
}

const countOf = (owner: string | null, claims: (string | null)[][]) => claims.flat().filter((one) => one === owner).length;

describe('among many waiting commands', () => {
  const BACKLOG = 100_000;

  /** As after an outage: the statistics are from before, when nothing was waiting. */
  beforeAll(async () => {
    await db.execute(sql`alter table commands set (autovacuum_enabled = off)`);
    await db.execute(sql`
      insert into commands (workflow_id, body, state, delivered_at)
      select 'order/d' || n / 3, '{"type": "update_shipment"}', 'delivered', now() from generate_series(1, 20000) as n`);
    await db.execute(sql`vacuum analyze commands`);
  });
  beforeEach(() => db.execute(sql`delete from commands where state = 'pending'`));

  it.each([
    ['of no owner', () => wait(BACKLOG, null)],
    ['of one owner', () => wait(BACKLOG, first)],
    ['of two thousand owners', () => wait(BACKLOG / owners.length, ...owners)],
  ])('takes no longer for a batch because a hundred thousand wait, %s', async (_, fill) => {
    await fill();
    const before = await read();
    const [claimed] = await claimAll(1);
    expect(claimed).toHaveLength(BATCH);
    const after = await read();
    expect(after.rows - before.rows).toBeLessThan(500);
    expect(after.scans).toBe(before.scans);
  });
});

describe('a claim', () => {
  beforeEach(() => db.execute(sql`delete from commands`));

  it('has a command that was asked for after a burst of another key', async () => {
    await wait(5_000, first);
    await claimAll(3);
    await wait(1, second);
    const [next] = await claimAll(1);
    expect(next).toContain(second);
    expect(next).toContain(first);
  });

  it('lets no burst of a key delay what has no owner, and the other way round', async () => {
    await wait(5_000, first);
    await wait(5_000, null);
    const [claimed = []] = await claimAll(1);
    expect(countOf(first, [claimed])).toBe(BATCH);
    expect(countOf(null, [claimed])).toBe(BATCH);
  });

  it('leaves the commands of owners, and their turns, as they are while none may be claimed', async () => {
    await wait(1, first, null);
    const { claimed, lastOwner } = await claimCommands(db, { ownerless: BATCH, owned: 0, after: second });
    expect(claimed.map(({ owner }) => owner)).toEqual([null]);
    expect(lastOwner).toBe(second);
  });

  it('shares equally between a few owners', async () => {
    await wait(100, first, second, third);
    const claims = await claimAll(3);
    for (const owner of [first, second, third]) expect(countOf(owner, claims)).toBe(24);
  });

  it('gives each of many owners its turn, as often as the others', async () => {
    const many = owners.slice(0, 60);
    await wait(10, ...many);
    await wait(1_000, first);
    // A round takes three claims: 25, 25 and 10 owners.
    const claims = await claimAll(6);
    for (const owner of many) expect(countOf(owner, claims)).toBe(2);
  });

  it('says whether more may be due, until nothing is', async () => {
    await wait(3, ...owners.slice(0, 60));
    await wait(100, first);
    await wait(70, null);
    const claims = await claimAll();
    expect(claims.flat()).toHaveLength(60 * 3 + 100 + 70);
    const { rows } = await db.execute(sql`select from commands where state = 'pending'`);
    expect(rows).toHaveLength(0);
  });

  it('passes over owners whose commands are not due yet', async () => {
    await wait(1, ...owners.slice(0, 100));
    await db.execute(sql`update commands set next_attempt_at = now() + interval '1 hour'`);
    const last = owners.at(-1) ?? '';
    await wait(1, last);
    expect(await claimAll(1)).toEqual([[last]]);
  });

  it('keeps the commands of one workflow in order, also of several owners', async () => {
    await wait(100, second);
    await db.execute(sql`
      insert into commands (workflow_id, owner, body)
      select 'order/o', owner::uuid, jsonb_build_object('type', type)
      from (values (${second}, 'start_order'), (null, 'update_shipment'), (${first}, 'cancel_order')) as wanted (owner, type)`);
    const types: string[] = [];
    for (let claim: Claim | undefined; mayHaveMore(claim) || types.length < 3; ) {
      claim = await claimNext(claim);
      const ofOne = claim.claimed.filter(({ workflowId }) => workflowId === 'order/o');
      expect(ofOne.length).toBeLessThanOrEqual(1);
      types.push(...ofOne.map(({ type }) => type));
      if (claim.claimed.length > 0) await settle(claim.claimed);
    }
    expect(types).toEqual(['start_order', 'update_shipment', 'cancel_order']);
  });

  it('says whether a later command of the same workflow waits', async () => {
    await db.execute(sql`
      insert into commands (workflow_id, body)
      select 'signup/f', jsonb_build_object('type', type) from unnest(array['start_signup', 'verify_signup']) as type`);
    expect(await claimAndSettle()).toEqual({ written: 1, isFollowed: true });
    expect(await claimAndSettle()).toEqual({ written: 1, isFollowed: false });
  });
});
