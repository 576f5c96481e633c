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

/** @returns the steps that are being retried now, the newest first: trouble before it is a failure. Needs no Temporal. */
export async function readRetryingSteps(db: Database, limit: number): Promise<Omit<RetryingStep, 'pending'>[]> {
  const { orderId, generation, step, kind, attempts, errorType, errorMessage } = sagaSteps;
  return await db
    .select({ orderId, generation, step, kind, attempts, errorType, errorMessage })
    .from(sagaSteps)
    .where(eq(sagaSteps.state, 'retrying'))
    .orderBy(desc(sagaSteps.startedAt))
    .limit(limit);
}

/** Adds what Temporal knows of each step's next attempt. @throws a gRPC error when Temporal is away */
export async function withPendingActivity(
  client: Client,
  steps: Omit<RetryingStep, 'pending'>[],
): Promise<RetryingStep[]> {
  return await Promise.all(
    steps.map(async (step) => {
      const run = await describeRun(client, orderWorkflowId(step.orderId));
      const pending = run?.pendingActivities.find((activity) => activity.lastFailure !== undefined);
      return { ...step, pending };
    }),
  );
}

/** @returns the steps that are being retried now, the newest first @throws a gRPC error when Temporal is away */
export const listRetrying = async (db: Database, client: Client, limit: number): Promise<RetryingStep[]> =>
  await withPendingActivity(client, await readRetryingSteps(db, limit));
