import type { RetryPolicy } from '@temporalio/common';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { msToNumber } from '@temporalio/common/lib/time.js';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createActivityInterceptor } from '../../src/activities/interceptors.ts';
import { RETRY_PROFILES } from '../../src/contracts/retry-profiles.ts';
import { orders } from '../../src/db/schema.ts';
import { createLogger } from '../../src/log.ts';
import { createShop, type Shop } from '../support/shop.ts';

/** @returns the error that leaves the worker when this activity fails */
async function failureOf(
  activity: () => Promise<unknown>,
  info: { attempt?: number; retryPolicy?: RetryPolicy } = { retryPolicy: RETRY_PROFILES.warehouse.retry },
): Promise<unknown> {
  const environment = new MockActivityEnvironment(info, {
    interceptors: [createActivityInterceptor(createLogger('test', 'fatal'))],
    logger: new DefaultLogger('ERROR'),
  });
  try {
    await environment.run(activity);
    return 'no failure';
  } catch (error) {
    return error;
  }
}

const fails = (reason: unknown) => () => Promise.reject(reason);
const down = (nextRetryDelay?: number) =>
  ApplicationFailure.create({
    type: 'warehouse_unavailable',
    message: 'down',
    ...(nextRetryDelay === undefined ? {} : { nextRetryDelay }),
  });

/** @returns the delays of many attempts, in ms */
async function delays(info: Parameters<typeof failureOf>[1], error = down()): Promise<number[]> {
  const failures = await Promise.all(Array.from({ length: 200 }, () => failureOf(fails(error), info)));
  return failures.map((failure) =>
    failure instanceof ApplicationFailure && failure.nextRetryDelay ? msToNumber(failure.nextRetryDelay) : Number.NaN,
  );
}

describe('the delay to the next attempt', () => {
  it.each([
    [1, 2_000],
    [2, 4_000],
    [3, 8_000],
    [7, 8_000],
  ])('after attempt %i is %i ms ±20 %%', async (attempt, middle) => {
    const found = await delays({ attempt, retryPolicy: RETRY_PROFILES.warehouse.retry });
    expect(Math.min(...found)).toBeGreaterThanOrEqual(middle * 0.8);
    expect(Math.max(...found)).toBeLessThanOrEqual(middle * 1.2);
    expect(new Set(found).size).toBeGreaterThan(50);
    expect(Math.max(...found) - Math.min(...found)).toBeGreaterThan(middle * 0.2);
  });

  it('is never shorter than Retry-After', async () => {
    const found = await delays({ attempt: 1, retryPolicy: RETRY_PROFILES.warehouse.retry }, down(60_000));
    expect(Math.min(...found)).toBeGreaterThanOrEqual(60_000);
    expect(Math.max(...found)).toBeLessThanOrEqual(72_000);
    expect(new Set(found).size).toBeGreaterThan(50);
  });

  it('is not shortened by Retry-After', async () => {
    const found = await delays({ attempt: 3, retryPolicy: RETRY_PROFILES.warehouse.retry }, down(1_000));
    expect(Math.min(...found)).toBeGreaterThanOrEqual(6_400);
  });

  it('is not set for a refusal', async () => {
    const refusal = ApplicationFailure.nonRetryable('no', 'card_declined');
    expect(await failureOf(fails(refusal))).toBe(refusal);
  });
});

describe('an error', () => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await createShop();
  });
  afterAll(() => shop.close());

  it('of a query does not contain its parameters', async () => {
    const address = 'ada@example.com';
    const failure = await failureOf(() =>
      shop.db.select().from(orders).where(eq(orders.customerEmail, sql`${address}::int`)),
    );
    expect(failure).toMatchObject({ type: 'database_error', message: expect.stringMatching(/\(\w{5}\)/), nonRetryable: false });
    expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toContain(address);
    expect(failure).not.toHaveProperty('cause.message');
  });

  it('of any kind gets a type and keeps its message', async () => {
    expect(await failureOf(fails(new RangeError('too far')))).toMatchObject({ type: 'RangeError', message: 'too far' });
    expect(await failureOf(fails('just a word'))).toMatchObject({ type: 'unknown', message: 'just a word' });
  });

  it('for a cancellation is not changed', async () => {
    const cancellation = new CancelledFailure('stop');
    expect(await failureOf(fails(cancellation))).toBe(cancellation);
  });
});
