import { activityInfo } from '@temporalio/activity';
import { orderWorkflowId, type OrderRef } from '../contracts/ids.ts';
import type { Transaction } from '../db/client.ts';
import { openFailure, type FailureRef, type NewFailure } from '../records/failures.ts';

/** @returns the run that the current activity belongs to */
export const currentRunId = (): string | null => activityInfo().workflowExecution?.runId ?? null;

/** Opens a failure of an order, on behalf of the current activity. See {@link openFailure}. */
export const openOrderFailure = (
  tx: Transaction,
  { orderId, generation }: OrderRef,
  failure: Omit<NewFailure, 'workflowId' | 'runId' | keyof OrderRef>,
): Promise<FailureRef> =>
  openFailure(tx, { ...failure, orderId, generation, workflowId: orderWorkflowId(orderId), runId: currentRunId() });
