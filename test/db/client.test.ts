import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isDatabaseUnavailable } from '../../src/db/availability.ts';
import { connectDatabase, type DatabaseHandle } from '../../src/db/client.ts';
import { transaction } from '../../src/db/transaction.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let testDatabase: TestDatabase;
let database: DatabaseHandle;
let other: DatabaseHandle;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = connectDatabase(testDatabase.url, { max: 1, name: 'victim' });
  other = connectDatabase(testDatabase.url, { max: 1, name: 'other' });
});
afterAll(async () => {
  await database.close();
  await other.close();
  await testDatabase.drop();
});

const endConnection = () =>
  other.db.execute(sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'victim'`);

describe('a connection that is lost during a transaction', () => {
  it('fails the transaction as "database unavailable", and keeps nothing of it', async () => {
    await other.db.execute(sql`create table notes (text text)`);
    const lost = transaction(database.db, async (tx) => {
      await tx.execute(sql`insert into notes values ('never')`);
      await endConnection();
      await tx.execute(sql`insert into notes values ('neither')`);
    });
    const error: unknown = await lost.catch((reason: unknown) => reason);
    expect(isDatabaseUnavailable(error)).toBe(true);
    expect((await database.db.execute(sql`select * from notes`)).rows).toEqual([]);
  });

  it('does not use up the pool if it is lost before the transaction starts', async () => {
    for (let tries = 0; tries < 3; tries += 1) {
      await database.db.execute(sql`select 1`);
      await endConnection();
      await transaction(database.db, (tx) => tx.execute(sql`select 1`)).catch(() => {});
    }
    await expect(database.db.execute(sql`select 1`)).resolves.toBeDefined();
  });

  it('is replaced in the pool by one that works', async () => {
    await endConnection();
    const answers: unknown[] = [];
    for (let tries = 0; tries < 3; tries += 1) {
      answers.push(await database.db.execute(sql`select 1`).then(() => 'ok', isDatabaseUnavailable));
    }
    expect(answers.at(-1)).toBe('ok');
    expect(answers).not.toContain(false);
  });
});

/** Stops this process from hearing what Postgres says. */
const freezeThisProcess = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

describe('a transaction whose process is frozen', () => {
  it('is ended by Postgres, fails as "database unavailable", and keeps nothing', async () => {
    const limits = { statement: 5_000, lock: 5_000, idleInTransaction: 50 };
    const frozen = connectDatabase(testDatabase.url, { max: 1, name: 'frozen', limits });
    await other.db.execute(sql`create table reminders (text text)`);
    const idle = transaction(frozen.db, async (tx) => {
      await tx.execute(sql`insert into reminders values ('never')`);
      freezeThisProcess(1_000);
      await tx.execute(sql`insert into reminders values ('neither')`);
    });
    const error: unknown = await idle.catch((reason: unknown) => reason);
    expect(isDatabaseUnavailable(error)).toBe(true);
    expect((await frozen.db.execute(sql`select * from reminders`)).rows).toEqual([]);
    await frozen.close();
  });
});
