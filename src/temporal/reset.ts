import type { temporal } from '@temporalio/proto';
import type { Client } from '@temporalio/client';
import Long from 'long';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/**
 * @param events the history of a run
 * @param before the event to undo; default: the last one, so that the workflow task that fails, or that ended the run, is
 * decided again. An earlier failed task does not count: the run got past it, or it was itself made by a reset.
 * @returns the id of the workflow task event to reset to, so that the task that led to `before` is decided again
 * @throws RangeError when no workflow task has finished by then
 */
export function resetPoint(events: HistoryEvent[], before?: number): number {
  const id = ({ eventId }: HistoryEvent) => Number(eventId);
  const last = before ?? id(events.at(-1) ?? {});
  const point = events.findLast(
    (event) =>
      id(event) <= last &&
      (event.workflowTaskCompletedEventAttributes ??
        event.workflowTaskFailedEventAttributes ??
        event.workflowTaskTimedOutEventAttributes),
  );
  if (!point) throw new RangeError('No workflow task has finished before that event.');
  return id(point);
}

/**
 * Resets the latest run of a workflow: it continues from there as a new run, with the present code. Completed steps are
 * not repeated, because their keys do not depend on the run.
 * @param requestId the same for each attempt, so that Temporal resets once
 */
export async function resetRun(
  client: Client,
  request: { workflowId: string; before: number | undefined; requestId: string },
): Promise<void> {
  const handle = client.workflow.getHandle(request.workflowId);
  const { runId } = await handle.describe();
  const { events } = await client.workflow.getHandle(request.workflowId, runId).fetchHistory();
  await client.workflowService.resetWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId: request.workflowId, runId },
    reason: `Requested by an operator of Holdfast, as request ${request.requestId}.`,
    workflowTaskFinishEventId: Long.fromNumber(resetPoint(events ?? [], request.before)),
    requestId: request.requestId,
  });
}
