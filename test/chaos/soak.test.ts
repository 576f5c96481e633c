import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { connectDatabase, type Database } from '../../src/db/client.ts';
import { orders } from '../../src/db/schema.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../support/temporary-folder.ts';
import { SOAK_VARIABLE, soakOptions } from './soak/options.ts';
import { MEASURES, median, readUsage, type Measure, type Usage } from './soak/usage.ts';
import { createPeople, type PlacedOrder } from './storm/load.ts';
import { startProcesses, type Processes } from './storm/processes.ts';
import type { ProcessName } from './storm/schedule.ts';

const { minutes, rate } = soakOptions.parse(JSON.parse(process.env[SOAK_VARIABLE] ?? '{}'));
/** ms */
const LASTS = minutes * 60_000;
const LIMIT = LASTS + 300_000;
/** How often usage is read. */
const READINGS = 60;

const WATCHED = { api: 'holdfast-api', 'worker-1': 'holdfast-worker', 'worker-2': 'holdfast-worker' } as const;
type Watched = keyof typeof WATCHED & ProcessName;
const watched: readonly Watched[] = ['api', 'worker-1', 'worker-2'];

/**
 * How much more the last third of the soak may need than the third before it. The first third warms up: pools and caches
 * fill, and the compiler optimizes.
 */
const MAY_GROW_BY: Record<Measure, number> = { memory: 30, handles: 5, connections: 5, idleInTransaction: 0, locks: 0 };

let folder: TemporaryFolder;
let processes: Processes;
let db: Database;
let closeDatabase: () => Promise<void>;
const readings: Record<Watched, Usage[]> = { api: [], 'worker-1': [], 'worker-2': [] };
const placed: PlacedOrder[] = [];

beforeAll(async () => {
  folder = await createTemporaryFolder();
  processes = await startProcesses(folder.path, inject('workflowBundlePath'));
  ({ db, close: closeDatabase } = connectDatabase(processes.site.databaseUrl, { max: 2, name: 'soak' }));
  const people = createPeople(processes.site, new AbortController().signal);
  const ordering = Array.from({ length: Math.round((LASTS / 1_000) * rate) }, async (_, index) => {
    await sleep((index * 1_000) / rate);
    placed.push(await people.placeOrder({ email: `customer-${index}@example.com`, wish: 'pays and waits', isImpatient: false }));
  });
  for (let reading = 0; reading < READINGS; reading += 1) {
    await sleep(LASTS / READINGS);
    for (const name of watched) readings[name].push(await readUsage(db, processes.pid(name), WATCHED[name]));
  }
  await Promise.all(ordering);
}, LIMIT);
afterAll(async () => {
  await closeDatabase();
  await processes.stop();
  await folder.remove();
}, LIMIT);

/** @returns the medians of the second and the last third of the readings */
function middleAndEnd(name: Watched, measure: Measure): { before: number; after: number } {
  const values = readings[name].map((usage) => usage[measure]);
  const third = Math.floor(values.length / 3);
  return { before: median(values.slice(third, 2 * third)), after: median(values.slice(2 * third)) };
}

describe(`${minutes} minutes of ${rate} orders a second`, { timeout: LIMIT }, () => {
  it('complete every order', async () => {
    const statuses = async () => {
      const rows = await db.select({ status: orders.status }).from(orders);
      return rows.filter(({ status }) => status !== 'completed').length;
    };
    await expect.poll(statuses, { timeout: 120_000, interval: 1_000 }).toBe(0);
    expect(await db.$count(orders)).toBe(placed.length);
  });

  it.each(watched)('need no more at the end than in the middle: %s', (name) => {
    const lines = MEASURES.map((measure) => ({ measure, ...middleAndEnd(name, measure) }));
    console.log(`${name}, ${placed.length} orders`);
    console.table(Object.fromEntries(lines.map(({ measure, before, after }) => [measure, { middle: before, end: after }])));
    expect(lines.filter(({ measure, before, after }) => after > before + MAY_GROW_BY[measure])).toEqual([]);
  });
});
