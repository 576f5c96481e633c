import { inArray } from 'drizzle-orm';
import { expect } from 'vitest';
import { orderWorkflowId } from '../../../src/contracts/ids.ts';
import { FINAL_ORDER_STATUSES } from '../../../src/contracts/statuses.ts';
import { orders } from '../../../src/db/schema.ts';
import { expectSound, stockTotals } from '../audit.ts';
import { checkHistories } from '../histories.ts';
import type { RigParts } from './temporal.ts';

/** What must be true after every test: the books are sound and the histories replay. */
export async function createChecks({ shop, client }: RigParts) {
  const stockAtStart = await stockTotals(shop.db);
  const paths = new Map<string, string>();
  /** Ids of workflows. Those of orders stay unaudited until the order has ended. */
  const [unaudited, unreplayed] = [new Set<string>(), new Set<string>()];

  /** Includes a workflow in the next checks. */
  function recordStart(workflowId: string): void {
    unaudited.add(workflowId);
    unreplayed.add(workflowId);
  }

  return {
    recordStart,

    /** Lets a run stand for a path, such as `order-delivered`: see `checkHistories`. Includes it in the history check. */
    keepAs(path: string, workflowId: string): void {
      paths.set(workflowId, path);
      unreplayed.add(workflowId);
    },

    /** Checks the stock, and each order that has ended since the last check. */
    async checkBooks(): Promise<void> {
      expect(await stockTotals(shop.db)).toEqual(stockAtStart);
      const ended = await shop.db.select().from(orders).where(inArray(orders.status, [...FINAL_ORDER_STATUSES]));
      for (const { id } of ended) if (unaudited.delete(orderWorkflowId(id))) await expectSound(shop, id);
    },

    /** Replays the runs that were started since the last check. */
    async replayHistories(): Promise<void> {
      const runs = await Promise.all(
        Array.from(unreplayed, async (workflowId) => ({
          workflowId,
          history: await client.workflow.getHandle(workflowId).fetchHistory(),
          path: paths.get(workflowId),
        })),
      );
      unreplayed.clear();
      await checkHistories(runs);
    },
  };
}
