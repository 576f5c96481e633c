import type { temporal } from '@temporalio/proto';
import type { Client } from '@temporalio/client';
import Long from 'long';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

const ALLOW_DUPLICATE = 1;

/**
 * @param events the history of a run
 * @param before the event to undo; default: the last one, so that the workflow task that fails, or that ended the run, is
 * decided again. An earlier failed task does not count: the run got past it, or it was itself made by a reset.
 * @returns the id of the workflow task event to reset to, so that the task that led to `before` is decided again
 * Undefined when no workflow task has finished by then.
 */
export function resetPoint(events: HistoryEvent[], before?: number): number | undefined {
  const id = ({ eventId }: HistoryEvent) => Number(eventId);
  const last = before ?? id(events.at(-1) ?? {});
  const point = events.findLast(
    (event) =>
      id(event) <= last &&
      (event.workflowTaskCompletedEventAttributes ??
        event.workflowTaskFailedEventAttributes ??
        event.workflowTaskTimedOutEventAttributes),
  );
  return point && id(point);
}

interface ResetRequest {
  workflowId: string;
  before: number | undefined;
  /** The same for each attempt, so that Temporal resets once. */
  requestId: string;
}

/**
 * Resets the latest run of a workflow: it continues from there as a new run, with the present code. Completed steps are
 * not repeated, because their keys do not depend on the run. A run that ended before its first workflow task has no point
 * to go back to, so it is started again.
 * @throws RangeError when no workflow task has finished before the named event
 */
export async function resetRun(client: Client, { workflowId, before, requestId }: ResetRequest): Promise<void> {
  const { runId } = await client.workflow.getHandle(workflowId).describe();
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const point = resetPoint(events ?? [], before);
  if (point === undefined) {
    if (before !== undefined) throw new RangeError('No workflow task has finished before that event.');
    return await startAgain(client, workflowId, events?.[0] ?? {}, requestId);
  }
  await client.workflowService.resetWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId, runId },
    reason: `Requested by an operator of Holdfast, as request ${requestId}.`,
    workflowTaskFinishEventId: Long.fromNumber(point),
    requestId,
  });
}

/** Starts a workflow as it was started before, in the same words: what it was given may be encrypted. */
async function startAgain(
  client: Client,
  workflowId: string,
  { workflowExecutionStartedEventAttributes: started, userMetadata }: HistoryEvent,
  requestId: string,
): Promise<void> {
  await client.workflowService.startWorkflowExecution({
    namespace: client.options.namespace,
    workflowId,
    requestId,
    workflowIdReusePolicy: ALLOW_DUPLICATE,
    workflowType: started?.workflowType ?? null,
    taskQueue: started?.taskQueue ?? null,
    input: started?.input ?? null,
    memo: started?.memo ?? null,
    header: started?.header ?? null,
    userMetadata: userMetadata ?? null,
  });
}
