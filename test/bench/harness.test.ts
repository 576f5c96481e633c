import postgres from 'postgres';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { withFigures } from '../../bench/harness/record.ts';
import { startSqlCounter } from '../../bench/harness/sql-counter.ts';
import { connectDatabase } from '../../src/db/client.ts';
import { transaction } from '../../src/db/transaction.ts';
import { sql } from 'drizzle-orm';

describe('the counter of statements', async () => {
  const counter = await startSqlCounter(inject('postgresUrl'));
  const database = connectDatabase(counter.through(inject('postgresUrl')), { max: 1, name: 'counted' });
  const prepared = postgres(counter.through(inject('postgresUrl')), { max: 1, connection: { application_name: 'prepared' } });
  afterAll(async () => {
    await Promise.all([database.close(), prepared.end()]);
    await counter.close();
  });

  it('counts each statement outside a block as a transaction', async () => {
    await database.db.execute(sql`select 1`);
    await database.db.execute(sql`select ${2}::int`);
    expect(counter.take()).toEqual([
      { application: 'counted', statements: ['select 1'] },
      { application: 'counted', statements: ['select $1::int'] },
    ]);
  });

  it('counts a block as one transaction, with its beginning and end', async () => {
    await transaction(database.db, async (tx) => {
      await tx.execute(sql`select 1`);
      await tx.execute(sql`select ${2}::int`);
    });
    await expect(transaction(database.db, async (tx) => tx.execute(sql`select 1 / 0`))).rejects.toThrow('select 1 / 0');
    expect(counter.take().map(({ statements }) => statements)).toEqual([
      ['begin', 'select 1', 'select $1::int', 'commit'],
      ['begin', 'select 1 / 0', 'rollback'],
    ]);
  });

  it('counts a prepared statement each time it is executed', async () => {
    await prepared`select 1`;
    counter.take();
    for (const value of [1, 2]) await prepared`select ${value}::int`;
    expect(counter.take()).toEqual(Array.from({ length: 2 }, () => ({ application: 'prepared', statements: ['select $1::int'] })));
  });

  it('counts a statement whose text comes in pieces', async () => {
    const text = 'x'.repeat(1_000_000);
    await database.db.execute(sql.raw(`select '${text}'`));
    expect(counter.take()).toEqual([{ application: 'counted', statements: [`select '${text}'`] }]);
  });
});

describe('the figures in the README', () => {
  const report = {
    measure: 'cost',
    at: '2026-01-02T03:04:05.000Z',
    commit: 'abc1234',
    modified: false,
    machine: { cpu: 'a processor', cores: 2, memoryGb: 24, node: '20.19.0', postgres: '18.0', load: 0.1 },
    options: { orders: 20 },
    tables: [{ title: 'Cost', columns: ['', 'order'], rows: [['events', 57]] }],
  };

  it('replace those of the last run', () => {
    const text = 'Before.\n<!-- figures: cost -->\nold\n<!-- end of figures -->\nAfter.\n';
    const once = withFigures(text, report);
    expect(once).toContain('| events | 57 |');
    expect(once).not.toContain('old');
    expect(once.startsWith('Before.\n')).toBe(true);
    expect(once.endsWith('\nAfter.\n')).toBe(true);
    expect(withFigures(once, report)).toBe(once);
  });

  it('need a place', () => {
    expect(() => withFigures('', report)).toThrow('no place for cost');
  });
});
