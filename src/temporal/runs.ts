import { status } from '@grpc/grpc-js';
import { isGrpcServiceError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { ProtoFailure } from '@temporalio/common';
import { decodeFromPayloadsAtIndex, decodeOptionalFailureToOptionalError } from '@temporalio/common/lib/internal-non-workflow/codec-helpers.js';

/** An activity that a run is waiting for. */
export interface PendingActivity {
  activity: string;
  attempt: number;
  /** undefined: without limit */
  maximumAttempts: number | undefined;
  lastFailure: { type: string; message: string } | undefined;
  /** Set while it is waiting for its next attempt. */
  nextAttemptAt: Date | undefined;
}

/** A run as Temporal knows it. */
export interface RunState {
  workflowId: string;
  runId: string;
  /** e.g. `RUNNING`, `FAILED` */
  status: string;
  startedAt: Date;
  closedAt: Date | undefined;
  /** Attempts of the present workflow task. More than one means that the workflow code is failing. */
  workflowTaskAttempt: number;
  pendingActivities: PendingActivity[];
}

type Timestamp = { seconds?: unknown; nanos?: number | null } | null | undefined;
const toDate = (time: Timestamp): Date | undefined =>
  time ? new Date(Number(time.seconds) * 1000 + Math.round((time.nanos ?? 0) / 1e6)) : undefined;

/** @returns the latest run of a workflow, or undefined when Temporal does not know it, or no longer does */
export async function describeRun(client: Client, workflowId: string): Promise<RunState | undefined> {
  try {
    const { runId, status: state, startTime, closeTime, raw } = await client.workflow.getHandle(workflowId).describe();
    return {
      workflowId,
      runId,
      status: state.name,
      startedAt: startTime,
      closedAt: closeTime,
      workflowTaskAttempt: raw.pendingWorkflowTask?.attempt ?? 0,
      pendingActivities: await Promise.all(
        (raw.pendingActivities ?? []).map(async (activity) => ({
          activity: activity.activityType?.name ?? 'unknown',
          attempt: activity.attempt ?? 1,
          maximumAttempts: activity.maximumAttempts || undefined,
          lastFailure: await readFailure(client, activity.lastFailure),
          nextAttemptAt: toDate(activity.nextAttemptScheduleTime),
        })),
      ),
    };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

async function readFailure({ options }: Client, failure: ProtoFailure | null | undefined): Promise<PendingActivity['lastFailure']> {
  const error = await decodeOptionalFailureToOptionalError(options.loadedDataConverter, failure);
  return error && { type: failure?.applicationFailureInfo?.type ?? 'unknown', message: error.message };
}

/**
 * @returns the argument that the latest run of a workflow was started with, or undefined when Temporal does not know it.
 * A run lives by its arguments, whatever the configuration says now.
 */
export async function readRunInput(client: Client, workflowId: string): Promise<unknown> {
  try {
    const { history } = await client.workflowService.getWorkflowExecutionHistory({
      namespace: client.options.namespace,
      execution: { workflowId },
      maximumPageSize: 1,
    });
    const payloads = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads;
    return await decodeFromPayloadsAtIndex<unknown>(client.options.loadedDataConverter, 0, payloads);
  } catch (error) {
    if (isGrpcServiceError(error) && error.code === status.NOT_FOUND) return undefined;
    throw error;
  }
}
