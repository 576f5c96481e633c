import { sql } from 'drizzle-orm';
import { afterAll, expect, it } from 'vitest';
import { connectDatabase } from '../../src/db/client.ts';
import { transaction } from '../../src/db/transaction.ts';
import { createTestDatabase } from '../support/database.ts';

const testDatabase = await createTestDatabase();
// One connection: a prepared statement belongs to one.
const { db, close } = connectDatabase(testDatabase.url, { max: 1, name: 'test', prepare: true });
afterAll(async () => {
  await close();
  await testDatabase.drop();
});

const prepared = async () => {
  const { rows } = await db.execute<{ statement: string; plans: number }>(
    sql`select statement, custom_plans::int as plans from pg_prepared_statements where statement like '%::int + 1%'`,
  );
  return rows;
};

const next = (value: number) => sql<{ next: number }>`select ${value}::int + 1 as next`;

it('parses a statement once, and plans it for the tables as they are', async () => {
  for (let value = 0; value < 10; value += 1) {
    const { rows } = await transaction(db, (tx) => tx.execute<{ next: number }>(next(value)));
    expect(rows).toEqual([{ next: value + 1 }]);
  }
  await db.execute(next(10));
  expect(await prepared()).toEqual([{ statement: 'select $1::int + 1 as next', plans: 11 }]);
});
