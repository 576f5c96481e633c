import type { Client } from '@temporalio/client';
import { and, eq, inArray } from 'drizzle-orm';
import { STATUS_SEARCH_ATTRIBUTE } from '../contracts/names.ts';
import { FINAL_ORDER_STATUSES, LIVE_FAILURE_STATUSES } from '../contracts/statuses.ts';
import type { Database } from '../db/client.ts';
import { failures, orders } from '../db/schema.ts';
import { transaction } from '../db/transaction.ts';
import { closeFailures, openFailure } from '../records/failures.ts';

export type RunActivities = ReturnType<typeof createRunActivities>;

const ORDER_ID = /^order\/([0-9a-f-]{36})$/;

const ENDED = FINAL_ORDER_STATUSES.map((status) => `'${status}'`).join(', ');

/**
 * Finds runs that are broken by a bug in our code, which they cannot report themselves. A run also ends as Failed after a
 * business refusal, but then its order has ended, too.
 */
const QUERIES: { errorType: string; query: string; message: string }[] = [
  {
    errorType: 'run_failed',
    query: `WorkflowType = 'order' and ExecutionStatus in ('Failed', 'TimedOut', 'Terminated') and ${STATUS_SEARCH_ATTRIBUTE.name} not in (${ENDED})`,
    message: 'The run has ended, but its order has not.',
  },
  {
    errorType: 'workflow_task_failing',
    query: `WorkflowType = 'order' and ExecutionStatus = 'Running' and TemporalReportedProblems in ('category=WorkflowTaskFailed', 'category=WorkflowTaskTimedOut')`,
    message: 'The workflow code is failing. The run continues once the code is fixed.',
  },
];

/** Watches the workflow runs themselves. */
export function createRunActivities({ db, client }: { db: Database; client: Client }) {
  return {
    /** Opens a failure for each broken run, and closes the failures of runs that work again. */
    async reportBrokenRuns(): Promise<void> {
      for (const { errorType, query, message } of QUERIES) {
        for await (const { workflowId, runId } of client.workflow.list({ query })) {
          const orderId = ORDER_ID.exec(workflowId)?.[1];
          if (orderId) await report({ orderId, workflowId, runId, errorType, message });
        }
      }
      const live = await db
        .select()
        .from(failures)
        .where(and(eq(failures.kind, 'run'), inArray(failures.status, LIVE_FAILURE_STATUSES)));
      for (const failure of live) await closeIfFixed(failure);
    },
  };

  async function closeIfFixed({ workflowId, orderId, generation }: typeof failures.$inferSelect): Promise<void> {
    if (!orderId || !generation) return;
    const { status, raw } = await client.workflow.getHandle(workflowId).describe();
    const isFailing = (raw.pendingWorkflowTask?.attempt ?? 0) > 1;
    if (isFailing || (status.name !== 'RUNNING' && status.name !== 'COMPLETED')) return;
    const ref = { orderId, generation };
    await transaction(db, (tx) =>
      closeFailures(tx, ref, { kind: 'run', step: 'run' }, 'resolved', 'The run continues.'),
    );
  }

  async function report(run: {
    orderId: string;
    workflowId: string;
    runId: string;
    errorType: string;
    message: string;
  }): Promise<void> {
    const { orderId, workflowId, runId, errorType, message } = run;
    await transaction(db, async (tx) => {
      const [order] = await tx.select().from(orders).where(eq(orders.id, orderId));
      if (!order || FINAL_ORDER_STATUSES.includes(order.status)) return;
      // Only the latest run counts: a run that was reset has ended, too.
      const latest = await client.workflow.getHandle(workflowId).describe();
      if (latest.runId !== runId) return;
      // Its reset has been requested.
      const [requested] = await tx
        .select({ id: failures.id })
        .from(failures)
        .where(and(eq(failures.kind, 'run'), eq(failures.runId, runId), eq(failures.status, 'retrying')));
      if (requested) return;
      await openFailure(tx, {
        kind: 'run',
        workflowId,
        runId,
        orderId,
        generation: order.generation,
        step: 'run',
        errorType,
        errorMessage: message,
        attempts: 1,
      });
    });
  }
}
