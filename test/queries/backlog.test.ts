import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectDatabase, type DatabaseHandle } from '../../src/db/client.ts';
import { commands } from '../../src/db/schema.ts';
import { readBacklogPeaks } from '../../src/queries/backlog.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let handle: DatabaseHandle;
beforeAll(async () => {
  database = await createTestDatabase();
  handle = connectDatabase(database.url, { max: 1, name: 'test' });
});
afterAll(async () => {
  await handle.close();
  await database.drop();
});

const minute = (count: number) => new Date(Date.UTC(2026, 10, 24, 1, count));
const command = (created: number, delivered?: number) => ({
  workflowId: 'order/1',
  body: {},
  createdAt: minute(created),
  ...(delivered === undefined ? {} : { state: 'delivered' as const, deliveredAt: minute(delivered) }),
});

it('tells the most commands that waited at once between two times', async () => {
  await handle.db
    .insert(commands)
    .values([command(-30, -20), command(-5, 2), command(1, 3), command(1, 3), command(12, 13), command(25)]);
  const peaks = await readBacklogPeaks(handle.db, [minute(0), minute(10), minute(20)]);
  expect(peaks).toEqual([3, 1, 1]);
});
