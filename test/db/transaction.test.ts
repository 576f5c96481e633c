import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { afterAll, describe, expect, it } from 'vitest';
import { isDatabaseUnavailable } from '../../src/db/availability.ts';
import { connectDatabase, type Transaction } from '../../src/db/client.ts';
import { transaction } from '../../src/db/transaction.ts';
import { expectNoOpenTransaction, useOwnPostgres } from '../support/own-postgres.ts';

const POOL = 10;
/** Ours is up a second later, see `connectDatabase`. */
const limits = { statement: 300, lock: 300, idleInTransaction: 60_000 };
/** ms: longer than a statement and the rollback after it are waited for. */
const FREEZE = 3_500;

const postgres = await useOwnPostgres();
const { db, close } = connectDatabase(postgres.url, { max: POOL, name: 'victim', limits });
const observer = connectDatabase(postgres.url, { max: 2, name: 'observer' });
await observer.db.execute(sql`create table halves (pair int, half int, primary key (pair, half))`);
afterAll(async () => {
  await close();
  await observer.close();
});

const insert = (tx: Pick<Transaction, 'execute'>, pair: number, half: number) =>
  tx.execute(sql`insert into halves values (${pair}, ${half})`);

const halvesOf = async (pair: number) =>
  (await observer.db.execute(sql`select half from halves where pair = ${pair} order by half`)).rows.map(({ half }) => half);

/** @returns an error that a promise ended with, or undefined */
const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

/** Fails unless every connection of the pool works. */
const expectPoolServes = async () => {
  const answers = Array.from({ length: 2 * POOL }, () => transaction(db, (tx) => tx.execute(sql`select 1`)));
  expect(await Promise.all(answers)).toHaveLength(2 * POOL);
};

describe('when Postgres does not answer for a while', () => {
  it('leaves no connection in a transaction, commits no half of one, and serves again', async () => {
    let pair = 0;
    const stopping = new AbortController();
    const failures: unknown[] = [];
    /** Transactions and single statements, one after the other, as a busy process would run them. */
    const client = async () => {
      while (!stopping.signal.aborted) {
        const id = (pair += 1);
        const writing = transaction(db, async (tx) => {
          await insert(tx, id, 1);
          await insert(tx, id, 2);
        });
        failures.push(await errorOf(writing), await errorOf(db.execute(sql`select count(*) from halves`)));
      }
    };
    const clients = Array.from({ length: 4 * POOL }, client);
    for (let stall = 0; stall < 2; stall += 1) {
      await sleep(300);
      postgres.freeze();
      await sleep(FREEZE);
      postgres.thaw();
    }
    stopping.abort();
    await Promise.all(clients);

    const refused = failures.filter((error) => error !== undefined);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.filter((error) => !isDatabaseUnavailable(error))).toEqual([]);
    await expectNoOpenTransaction(observer.db, 'victim');
    const { rows } = await observer.db.execute(sql`select pair from halves group by pair having count(*) <> 2`);
    expect(rows).toEqual([]);
    await expectPoolServes();
  });

  it('closes the connection whose BEGIN was not answered', async () => {
    await expectPoolServes();
    postgres.freeze();
    const error = await errorOf(transaction(db, (tx) => insert(tx, -1, 1)));
    postgres.thaw();
    expect(isDatabaseUnavailable(error)).toBe(true);
    await expectNoOpenTransaction(observer.db, 'victim');
    expect(await halvesOf(-1)).toEqual([]);
    await expectPoolServes();
  });

  it('commits all or nothing when COMMIT was not answered', async () => {
    const error = await errorOf(
      transaction(db, async (tx) => {
        await insert(tx, -2, 1);
        await insert(tx, -2, 2);
        postgres.freeze();
      }),
    );
    postgres.thaw();
    expect(isDatabaseUnavailable(error)).toBe(true);
    await expectNoOpenTransaction(observer.db, 'victim');
    expect([[], [1, 2]]).toContainEqual(await halvesOf(-2));
    await expectPoolServes();
  });

  it('keeps nothing when ROLLBACK was not answered', async () => {
    const error = await errorOf(
      transaction(db, async (tx) => {
        await insert(tx, -3, 1);
        postgres.freeze();
        throw new Error('refused');
      }),
    );
    postgres.thaw();
    expect(isDatabaseUnavailable(error)).toBe(true);
    await expectNoOpenTransaction(observer.db, 'victim');
    expect(await halvesOf(-3)).toEqual([]);
    await expectPoolServes();
  });
});

/** Two transactions that lock two rows in opposite orders. @returns how often each began */
async function deadlock(): Promise<[number, number]> {
  await observer.db.execute(sql`insert into halves values (-10, 1), (-10, 2)`);
  const attempts: [number, number] = [0, 0];
  const holds: [boolean, boolean] = [false, false];
  const opposing = (mine: 0 | 1, other: 0 | 1) =>
    transaction(observer.db, async (tx) => {
      attempts[mine] += 1;
      await lock(tx, mine + 1);
      holds[mine] = true;
      await expect.poll(() => holds[other], { interval: 5 }).toBe(true);
      await lock(tx, other + 1);
    });
  await Promise.all([opposing(0, 1), opposing(1, 0)]);
  return attempts;
}

const lock = (tx: Transaction, half: number) =>
  tx.execute(sql`select from halves where pair = -10 and half = ${half} for update`);

describe('a transaction that Postgres ends because of another', () => {
  it('runs once more, and both succeed', async () => {
    const [one, other] = await deadlock();
    expect(one + other).toBe(3);
  });

  it('fails if it loses again', async () => {
    let attempts = 0;
    const losing = transaction(observer.db, async (tx) => {
      attempts += 1;
      await tx.execute(sql`do $$ begin raise exception 'lost' using errcode = '40001'; end $$`);
    });
    await expect(losing).rejects.toMatchObject({ cause: { code: '40001' } });
    expect(attempts).toBe(2);
  });
});
