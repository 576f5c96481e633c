import { afterEach, expect, it, vi } from 'vitest';
import { serviceProbes } from '../../src/db/schema.ts';
import { createProbes } from '../../src/health/probes.ts';
import { startProber } from '../../src/health/prober.ts';
import type { Repeated } from '../../src/repeat.ts';
import { readServices } from '../../src/queries/health.ts';
import { useShop } from '../support/shop.ts';

const shop = await useShop();
const { db, log } = shop;
const probes = createProbes(shop.environment);

const running: Repeated[] = [];
const start = (options: { every: number; probes?: typeof probes }) => {
  const prober = startProber({ db, log, probes, ...options });
  running.push(prober);
  return prober;
};
afterEach(async () => {
  await Promise.all(running.splice(0).map((prober) => prober.stop()));
  await db.delete(serviceProbes);
  shop.heal();
});

const warehouse = async () => (await readServices(db)).find(({ service }) => service === 'warehouse');
const EVENTUALLY = { timeout: 20_000, interval: 20 };

it('records that a service fails, with its error, and since when it answers again', async () => {
  expect(await warehouse()).toMatchObject({ state: 'not_checked', lastSuccessAt: null, lastFailureAt: null });
  start({ every: 20 });
  await vi.waitFor(async () => expect(await warehouse()).toMatchObject({ state: 'ok', lastFailureAt: null, lastError: null }), EVENTUALLY);
  const before = await warehouse();

  shop.warehouse.faults.set({ mode: 'error_before' });
  await vi.waitFor(async () => expect(await warehouse()).toMatchObject({ state: 'failing', answeringSince: null, lastError: 'HTTP 500' }), EVENTUALLY);
  const during = await warehouse();
  expect(during?.lastSuccessAt?.getTime()).toBeGreaterThanOrEqual(before?.lastSuccessAt?.getTime() ?? Infinity);

  shop.warehouse.faults.clear();
  await vi.waitFor(async () => expect(await warehouse()).toMatchObject({ state: 'ok', lastError: 'HTTP 500' }), EVENTUALLY);
  const after = await warehouse();
  expect(after?.answeringSince?.getTime()).toBeGreaterThanOrEqual(after?.lastFailureAt?.getTime() ?? Infinity);
  // It stays, while the last success moves on.
  await vi.waitFor(
    async () => expect((await warehouse())?.lastSuccessAt?.getTime()).toBeGreaterThan(after?.lastSuccessAt?.getTime() ?? Infinity),
    EVENTUALLY,
  );
  expect((await warehouse())?.answeringSince).toEqual(after?.answeringSince);
});

it('probes once however many workers there are', async () => {
  let asked = 0;
  const counted = {
    ...probes,
    warehouse: (signal?: AbortSignal) => {
      asked += 1;
      return probes.warehouse(signal);
    },
  };
  const HOUR = 3_600_000;
  for (let index = 0; index < 4; index += 1) start({ every: HOUR, probes: counted });
  await vi.waitFor(async () => expect(await warehouse()).toMatchObject({ state: 'ok' }), EVENTUALLY);
  await Promise.all(running.splice(0).map((prober) => prober.stop()));
  expect(asked).toBe(1);
});

it('stops while a service hangs, and does not count that as its failure', async () => {
  for (const { faults } of [shop.warehouse, shop.payments]) faults.set({ mode: 'slow', delayMs: 600_000 });
  const prober = start({ every: 20 });
  await vi.waitFor(() => expect([shop.warehouse.faults.heldUp, shop.payments.faults.heldUp]).toEqual([1, 1]), EVENTUALLY);
  await prober.stop();
  expect(await warehouse()).toMatchObject({ state: 'not_checked', lastFailureAt: null, lastError: null });
});
