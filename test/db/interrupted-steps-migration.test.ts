import { asc, sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { migrate } from '../../src/db/migrate.ts';
import { sagaSteps } from '../../src/db/schema.ts';
import { insertEarlierOrder, useEarlierDatabase } from '../support/earlier-database.ts';

const { db, url } = await useEarlierDatabase({ migrations: 19 });

const KEY = '0197d0a0-0000-7000-8000-00000000000a';
const ORDER = '0197d0a0-0000-7000-8000-00000000000b';

it('interrupts the steps that are being undone, and marks those that are parked', async () => {
  await insertEarlierOrder(db, { id: ORDER, key: KEY, generation: 2, status: 'compensating' });
  for (const [generation, step, kind, state] of [
    [1, 'reserve', 'step', 'done'],
    [1, 'reserve', 'compensation', 'running'],
    [1, 'charge', 'step', 'retrying'],
    [1, 'charge', 'compensation', 'retrying'],
    [1, 'ship', 'step', 'running'],
    [1, 'ship', 'compensation', 'done'],
    [1, 'invoice', 'compensation', 'done'],
    [2, 'reserve', 'step', 'running'],
  ]) {
    await db.execute(sql`insert into saga_steps (order_id, generation, step, kind, state, attempts)
      values (${ORDER}, ${generation}, ${step}, ${kind}, ${state}, 1)`);
  }
  await db.execute(sql`insert into failures (id, kind, status, workflow_id, order_id, generation, step, error_type, error_message, attempts)
    values (gen_random_uuid(), 'step', 'open', ${ORDER}, ${ORDER}, 2, 'invoice', 'database_error', 'away', 0)`);

  await migrate(url);

  const rows = await db.select().from(sagaSteps).orderBy(asc(sagaSteps.generation), asc(sagaSteps.step), asc(sagaSteps.kind));
  expect(rows.map(({ generation, step, kind, state, attempts }) => `${generation} ${kind} ${step}: ${state}, ${attempts}`)).toEqual([
    '1 compensation charge: retrying, 1',
    '1 step charge: interrupted, 1',
    '1 compensation invoice: done, 1',
    '1 step invoice: undone, 0',
    '1 compensation reserve: running, 1',
    '1 step reserve: done, 1',
    '1 compensation ship: done, 1',
    '1 step ship: undone, 1',
    '2 step invoice: exhausted, 0',
    '2 step reserve: running, 1',
  ]);
});
