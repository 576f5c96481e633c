import { expect, it } from 'vitest';
import { commands } from '../../src/db/schema.ts';
import { readBacklogPeaks } from '../../src/queries/backlog.ts';
import { useDatabase } from '../support/database.ts';

const db = await useDatabase();

const minute = (count: number) => new Date(Date.UTC(2026, 10, 24, 1, count));
const command = (created: number, delivered?: number) => ({
  workflowId: 'order/1',
  body: {},
  createdAt: minute(created),
  ...(delivered === undefined ? {} : { state: 'delivered' as const, deliveredAt: minute(delivered) }),
});

it('returns the most commands that were pending at once in each interval', async () => {
  await db
    .insert(commands)
    .values([command(-30, -20), command(-5, 2), command(1, 3), command(1, 3), command(12, 13), command(25)]);
  const peaks = await readBacklogPeaks(db, [minute(0), minute(10), minute(20)]);
  expect(peaks).toEqual([3, 1, 1]);
});
