import { eq, sql } from 'drizzle-orm';
import { expect, it, vi } from 'vitest';
import { connectDatabase } from '../../src/db/client.ts';
import { workers } from '../../src/db/schema.ts';
import { announceWorker } from '../../src/health/presence.ts';
import { useShop } from '../support/shop.ts';

const { db, log, environment } = await useShop();
const WORKER = { identity: '1@somewhere', host: 'somewhere', version: '1.2.3', queues: ['orders' as const, 'email' as const] };
const EVENTUALLY = { timeout: 20_000, interval: 20 };

it('lists a worker while it runs, and no longer once it has stopped', async () => {
  const presence = announceWorker({ db, log, every: 20 }, WORKER);
  await vi.waitFor(async () => expect(await db.select().from(workers)).toMatchObject([WORKER]), EVENTUALLY);
  await db.update(workers).set({ lastSeenAt: sql`now() - interval '1 hour'` });
  await vi.waitFor(
    async () => expect(await db.$count(workers, sql`${workers.lastSeenAt} > now() - interval '1 minute'`)).toBe(1),
    EVENTUALLY,
  );
  await presence.stop();
  expect(await db.select().from(workers)).toEqual([]);
});

it('takes the place of a killed process that had the same identity', async () => {
  await db.insert(workers).values({ ...WORKER, version: '1.0.0', startedAt: new Date(0), lastSeenAt: new Date(0) });
  const presence = announceWorker({ db, log, every: 20 }, WORKER);
  await vi.waitFor(async () => expect(await db.$count(workers, eq(workers.version, '1.2.3'))).toBe(1), EVENTUALLY);
  expect(await db.$count(workers, eq(workers.startedAt, new Date(0)))).toBe(0);
  await presence.stop();
});

it('stops although Postgres is away', async () => {
  const gone = connectDatabase(environment.DATABASE_URL, { max: 1, name: 'test' });
  await gone.close();
  await announceWorker({ db: gone.db, log, every: 20 }, WORKER).stop();
  expect(await db.select().from(workers)).toEqual([]);
});
