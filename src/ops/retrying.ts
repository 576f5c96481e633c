import type { Client } from '@temporalio/client';
import { desc, eq } from 'drizzle-orm';
import { orderWorkflowId } from '../contracts/ids.ts';
import type { Database } from '../db/client.ts';
import { sagaSteps } from '../db/schema.ts';
import { describeRun, type PendingActivity } from './runs.ts';

/** A step that has failed at least once and is still being tried. */
export interface RetryingStep {
  orderId: string;
  generation: number;
  step: string;
  kind: string;
  attempts: number;
  errorType: string | null;
  errorMessage: string | null;
  /** As Temporal sees it; undefined when the step runs within a workflow task, or has just gone on. */
  pending: PendingActivity | undefined;
}

/** @returns the steps that are being retried now, the newest first: trouble before it is a failure */
export async function listRetrying(db: Database, client: Client, limit: number): Promise<RetryingStep[]> {
  const rows = await db
    .select()
    .from(sagaSteps)
    .where(eq(sagaSteps.state, 'retrying'))
    .orderBy(desc(sagaSteps.startedAt))
    .limit(limit);
  return await Promise.all(
    rows.map(async ({ orderId, generation, step, kind, attempts, errorType, errorMessage }) => {
      const run = await describeRun(client, orderWorkflowId(orderId));
      const pending = run?.pendingActivities.find((activity) => activity.lastFailure !== undefined);
      return { orderId, generation, step, kind, attempts, errorType, errorMessage, pending };
    }),
  );
}
