import type { Client } from '@temporalio/client';
import { orderWorkflowId } from '../contracts/ids.ts';
import { readCurrentRun } from '../temporal/compared-runs.ts';
import type { Check } from './check.ts';
import { inParallel } from './pace.ts';

/**
 * Leaves out what differs only because a run is behind: it has news that no worker has looked at. After an outage, that may take
 * longer than a difference may last, for thousands of orders.
 */
export const unlessRunIsBehind = (client: Client, check: Check): Check => ({
  ...check,
  async compare(subjects) {
    const found = await check.compare(subjects);
    const behind = await inParallel(found, async ({ orderId }) => {
      const run = orderId === undefined ? undefined : await readCurrentRun(client, orderWorkflowId(orderId));
      return run?.isBehind === true;
    });
    return found.filter((_difference, index) => !behind[index]);
  },
});
