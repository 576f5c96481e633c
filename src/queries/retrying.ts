import type { Client } from '@temporalio/client';
import { desc, eq } from 'drizzle-orm';
import { orderWorkflowId } from '../contracts/ids.ts';
import type { Database } from '../db/client.ts';
import { sagaSteps } from '../db/schema.ts';
import { askTemporal, type TemporalHealth } from '../temporal/availability.ts';
import { describeRun, type PendingActivity } from '../temporal/runs.ts';

/** A step or compensation that has failed at least once and is still being tried. */
export interface RetryingStep
  extends Pick<
    typeof sagaSteps.$inferSelect,
    'orderId' | 'generation' | 'step' | 'kind' | 'attempts' | 'errorType' | 'errorMessage'
  > {
  /** As Temporal sees it; undefined while Temporal is away, or when the step runs within a workflow task or has just continued. */
  pending: PendingActivity | undefined;
}

/** What is being retried: trouble before it is a failure. */
export interface Retrying {
  steps: RetryingStep[];
  temporal: TemporalHealth;
}

/** @returns the steps that are being retried now, newest first */
export async function readRetrying(
  { db, temporal: client }: { db: Database; temporal: Client },
  limit: number,
): Promise<Retrying> {
  const { orderId, generation, step, kind, attempts, errorType, errorMessage } = sagaSteps;
  const known = await db
    .select({ orderId, generation, step, kind, attempts, errorType, errorMessage })
    .from(sagaSteps)
    .where(eq(sagaSteps.state, 'retrying'))
    .orderBy(desc(sagaSteps.startedAt))
    .limit(limit);
  const { temporal, answer } = await askTemporal(client, () =>
    Promise.all(
      known.map(async (row) => {
        const run = await describeRun(client, orderWorkflowId(row.orderId));
        return { ...row, pending: run?.pendingActivities.find(({ lastFailure }) => lastFailure !== undefined) };
      }),
    ),
  );
  return { temporal, steps: answer ?? known.map((row) => ({ ...row, pending: undefined })) };
}
