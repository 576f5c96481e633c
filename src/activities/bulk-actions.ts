import { heartbeat } from '@temporalio/activity';
import type { Database } from '../db/client.ts';
import { runBulkActionBatch } from '../operate/bulk-actions.ts';

export type BulkActionActivities = ReturnType<typeof createBulkActionActivities>;

/** Bulk actions, one batch at a time. */
export function createBulkActionActivities({ db }: { db: Database }) {
  return {
    /** Acts on the next items. Histories store this older name. @param size how many items at most */
    async runReplayBatch(bulkActionId: string, size: number): Promise<{ state: 'running' | 'paused' | 'ended' }> {
      return { state: await runBulkActionBatch(db, bulkActionId, size, () => heartbeat()) };
    },
  };
}
