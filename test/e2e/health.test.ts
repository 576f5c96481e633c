import { sql } from 'drizzle-orm';
import { Client } from '@temporalio/client';
import { afterAll, expect, it, vi } from 'vitest';
import { QUEUE_NAMES } from '../../src/contracts/names.ts';
import { serviceProbes, workers } from '../../src/db/schema.ts';
import { readHealth, readServices } from '../../src/queries/health.ts';
import { connectTemporal } from '../../src/temporal/connection.ts';
import { useNamespace } from '../support/namespace.ts';
import { startWorker } from '../support/service-process.ts';
import { useShop } from '../support/shop.ts';

const shop = await useShop();
const { db } = shop;
const namespace = await useNamespace();
const deps = { db, temporal: namespace.client };
const nowhere = connectTemporal({ address: '127.0.0.1:1' });
afterAll(() => nowhere.close());

const EVENTUALLY = { timeout: 60_000, interval: 200 };
/** ms after which a poller that has not been seen does not count */
const TOO_LONG = 71_000;
const start = () => startWorker({ ...shop.environment, ...namespace.environment });

it('counts a killed worker no more after 70 seconds, and a stopped one no more at once', { timeout: 180_000 }, async () => {
  const worker = await start();
  await vi.waitFor(async () => {
    const { workers: listed, services } = await readHealth(deps);
    expect(listed).toMatchObject([
      { identity: expect.stringMatching(`^${worker.pid}@`), version: expect.stringMatching(/^\d/), queues: QUEUE_NAMES, polling: QUEUE_NAMES, state: 'ok' },
    ]);
    expect(services.map(({ state }) => state)).toEqual(['ok', 'ok', 'ok']);
  }, EVENTUALLY);

  await worker.kill();
  const [now, later] = await Promise.all([readHealth(deps), readHealth(deps, { later: TOO_LONG })]);
  // Temporal still lists its pollers.
  expect(now.queues.answer?.map(({ warning }) => warning)).toEqual([undefined, undefined, undefined]);
  expect(now.workers).toMatchObject([{ state: 'ok' }]);
  expect(later.queues.answer).toMatchObject(
    QUEUE_NAMES.map((queue) => ({ queue, polledBy: [], activities: { pollers: 0 }, warning: 'no workers polling' })),
  );
  expect(later.workers).toMatchObject([{ polling: [], state: 'gone' }]);
  // Nobody probes the services any more.
  expect(later.services.map(({ state }) => state)).toEqual(['not_checked', 'not_checked', 'not_checked']);

  const next = await start();
  await vi.waitFor(async () => expect((await readHealth(deps)).workers).toMatchObject([{ state: 'ok' }, {}]), EVENTUALLY);
  await next.stop();
  expect((await readHealth(deps)).workers.map(({ identity }) => identity.split('@')[0])).toEqual([String(worker.pid)]);
});

it('tells a worker that runs but does not poll, and does not guess while Temporal is away', async () => {
  await db.delete(workers);
  await db.insert(workers).values({ identity: '1@idle', host: 'idle', version: '1', queues: ['orders'] });
  expect((await readHealth(deps)).workers).toMatchObject([{ state: 'not_polling', polling: [] }]);
  const away = await readHealth({ db, temporal: new Client({ connection: nowhere }) });
  expect(away).toMatchObject({ workers: [{ state: 'not_checked', polling: null }], queues: { temporal: 'unavailable' } });
});

it('forgets a killed worker after an hour', async () => {
  await db.delete(workers);
  await db.insert(workers).values({ identity: '1@old', host: 'old', version: '1', queues: ['orders'], lastSeenAt: sql`now() - interval '61 minutes'` });
  expect((await readHealth(deps)).workers).toEqual([]);
});

it('says that the last probe is old instead of what it found', async () => {
  const at = new Date();
  await db.delete(serviceProbes);
  await db.insert(serviceProbes).values({ service: 'warehouse', nextProbeAt: at, lastSuccessAt: at, answeringSince: at });
  const warehouse = { service: 'warehouse', answeringSince: at, lastSuccessAt: at, lastFailureAt: null, lastError: null };
  expect(await readServices(db)).toContainEqual({ ...warehouse, state: 'ok' });
  expect(await readServices(db, { later: TOO_LONG })).toContainEqual({ ...warehouse, state: 'not_checked' });
});
