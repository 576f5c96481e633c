import type { Client } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { inject } from 'vitest';
import type { Dispatcher } from '../../../src/dispatch/dispatcher.ts';
import { registerSearchAttributes } from '../../../src/temporal/search-attributes.ts';
import { dataConverter } from '../payloads.ts';
import type { Shop } from '../shop.ts';
import { startWorkers, type WorkersOptions } from '../workers.ts';

/** What the parts of a rig work with. */
export interface RigParts {
  shop: Shop;
  client: Client;
  dispatcher: Dispatcher;
  /** Skips workflow time. @param duration ms */
  skip: (duration: number) => Promise<void>;
  /** Skips time until a run has ended. @returns its result; throws the error that it ended with */
  result: (workflowId: string) => Promise<unknown>;
}

/** Real ms between two looks at the test server's clock, while time is skipped. */
const LOOK_EVERY = 8_000;

/**
 * Does what skips time. The test server sometimes counts a task that has ended as still running, and its clock then
 * stands still for all later tests; one more unlock corrects its count. An unlock too many would let the clock run during
 * calls, so it is given only if the clock has not skipped anything since the last look, rather than merely being slow.
 */
async function skipping<Result>(environment: TestWorkflowEnvironment, work: () => Promise<Result>): Promise<Result> {
  /** ms that the clock is ahead of the real one */
  const lead = async () => (await environment.currentTimeMs()) - Date.now();
  let before = await lead();
  const timer = setInterval(() => void look().catch(() => {}), LOOK_EVERY);
  async function look(): Promise<void> {
    const now = await lead();
    if (now - before < LOOK_EVERY / 2) {
      console.warn('The clock of the test server is stuck: unlocking it.');
      await environment.connection.testService?.unlockTimeSkipping({});
    }
    before = now;
  }
  return await work().finally(() => clearInterval(timer));
}

/** Starts Temporal's time-skipping test server, and the workers and the dispatcher of a shop on it. */
export async function startTemporal(shop: Shop, options: Pick<WorkersOptions, 'replaceActivities'> = {}) {
  const environment = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: inject('testServerPath') } },
    client: { dataConverter },
  });
  await registerSearchAttributes(environment.connection, 'default');
  const stopWorkers = await startWorkers(shop, { ...options, connection: environment.nativeConnection });
  return {
    client: environment.client,
    dispatcher: shop.dispatcher(environment.client),
    skip: (duration: number): Promise<void> => skipping(environment, () => environment.sleep(duration)),
    result: (workflowId: string): Promise<unknown> =>
      skipping(environment, () => environment.client.workflow.getHandle(workflowId).result()),
    async stop(): Promise<void> {
      await stopWorkers();
      await environment.teardown();
    },
  };
}
