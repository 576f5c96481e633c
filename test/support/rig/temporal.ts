import type { Client } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { inject } from 'vitest';
import type { Dispatcher } from '../../../src/dispatch/dispatcher.ts';
import { registerSearchAttributes } from '../../../src/temporal/search-attributes.ts';
import type { Shop } from '../shop.ts';
import { startWorkers } from '../workers.ts';

/** What the parts of a rig work with. */
export interface RigParts {
  shop: Shop;
  client: Client;
  dispatcher: Dispatcher;
  /** Skips workflow time. @param duration ms */
  skip: (duration: number) => Promise<void>;
}

/** Starts Temporal's time-skipping test server, and the workers and the dispatcher of a shop on it. */
export async function startTemporal(shop: Shop) {
  const environment = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: inject('testServerPath') } },
  });
  await registerSearchAttributes(environment.connection, 'default');
  const stopWorkers = await startWorkers(shop, { connection: environment.nativeConnection });
  return {
    client: environment.client,
    dispatcher: shop.dispatcher(environment.client),
    skip: (duration: number): Promise<void> => environment.sleep(duration),
    async stop(): Promise<void> {
      await stopWorkers();
      await environment.teardown();
    },
  };
}
