import { Context } from '@temporalio/activity';
import { ActivityCancellationDetails, CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { sql } from 'drizzle-orm';
import { describe, expect, it, onTestFinished } from 'vitest';
import { waitingForPostgres } from '../../src/activities/wait-for-postgres.ts';
import { isDatabaseUnavailable } from '../../src/db/availability.ts';
import { connectDatabase } from '../../src/db/client.ts';

/** Starts an activity that reads from a Postgres that is away. */
function startActivity(info: { heartbeatTimeoutMs?: number; startToCloseTimeoutMs: number }) {
  const database = connectDatabase('postgres://shop@127.0.0.1:1/shop', { max: 1, name: 'worker' });
  onTestFinished(() => database.close());
  const environment = new MockActivityEnvironment(info, { logger: new DefaultLogger('ERROR') });
  let tries = 0;
  const outcome = environment
    .run(() =>
      waitingForPostgres(Context.current(), async () => {
        tries += 1;
        await database.db.execute(sql`select 1`);
      }),
    )
    .then(
      () => 'no failure',
      (error: unknown) => error,
    );
  return { environment, outcome, tries: () => tries };
}

const MINUTES = { heartbeatTimeoutMs: 15_000, startToCloseTimeoutMs: 600_000 };

describe('an attempt that waits for Postgres', () => {
  it('ends when its worker shuts down', async () => {
    const { environment, outcome, tries } = startActivity(MINUTES);
    await expect.poll(tries).toBeGreaterThan(1);
    environment.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));
    expect(isDatabaseUnavailable(await outcome)).toBe(true);
  });

  it('ends when its workflow cancels it', async () => {
    const { environment, outcome, tries } = startActivity(MINUTES);
    await expect.poll(tries).toBeGreaterThan(1);
    environment.cancel('CANCELLED');
    expect(await outcome).toBeInstanceOf(CancelledFailure);
  });

  it('ends when its time is over', async () => {
    const { outcome, tries } = startActivity({ ...MINUTES, startToCloseTimeoutMs: 3_000 });
    expect(isDatabaseUnavailable(await outcome)).toBe(true);
    expect(tries()).toBeGreaterThan(1);
  });
});

it('an attempt without heartbeats does not wait: nobody would notice that its worker died', async () => {
  const { outcome, tries } = startActivity({ startToCloseTimeoutMs: 10_000 });
  expect(isDatabaseUnavailable(await outcome)).toBe(true);
  expect(tries()).toBe(1);
});
