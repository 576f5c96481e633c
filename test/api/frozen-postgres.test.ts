import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { commands, idempotencyKeys, orders } from '../../src/db/schema.ts';
import { expectNoOpenTransaction, useOwnPostgres } from '../support/own-postgres.ts';
import { call, newOrder, startTestApi, type TestApi } from './support/api.ts';

const postgres = await useOwnPostgres();
let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ database: { url: postgres.url, drop: () => Promise.resolve() } });
});
afterAll(() => api.close());

/** ms: longer than the API waits for the answer to a statement */
const FREEZE = 8_000;

it('accepts each order once and whole when Postgres does not answer for a while', { timeout: 60_000 }, async () => {
  const clients = 40;
  const statuses = new Set<number>();
  let serial = 0;
  const stopping = new AbortController();
  /** Places orders one after the other, and repeats each with its key until it is accepted. */
  const client = async () => {
    while (!stopping.signal.aborted) {
      const request = { key: api.keys.customer.key, body: newOrder(), headers: { 'Idempotency-Key': `order-${(serial += 1)}` } };
      let status: number;
      do {
        ({ status } = await call(api, 'POST', '/v1/orders', request));
        statuses.add(status);
      } while (status === 503);
    }
  };
  const running = Array.from({ length: clients }, client);
  await sleep(500);
  postgres.freeze();
  await sleep(FREEZE);
  postgres.thaw();
  await sleep(500);
  stopping.abort();
  await Promise.all(running);

  expect(statuses).toEqual(new Set([202, 503]));
  const unfinished = await api.db.select({ key: idempotencyKeys.key }).from(idempotencyKeys).where(sql`location = ''`);
  expect(unfinished).toEqual([]);
  expect(await Promise.all([idempotencyKeys, orders, commands].map((table) => api.db.$count(table)))).toEqual([
    serial,
    serial,
    serial,
  ]);
  await expectNoOpenTransaction(api.db, 'holdfast-api');
});
