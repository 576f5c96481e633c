import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { STATUS_SEARCH_ATTRIBUTE } from '../contracts/names.ts';

/** A run in the list of runs, which is a little behind. */
export interface ListedRun {
  workflowId: string;
  open: boolean;
  /** The business status that it shows. */
  status: string | undefined;
}

const RUNNING = 1;

/**
 * @param query in Temporal's list filter syntax
 * @param page `after` is `next` of the page before
 * @returns a page of the runs that match
 */
export async function listRuns(
  client: Client,
  query: string,
  page: { size: number; after: string | undefined },
): Promise<{ runs: ListedRun[]; next: string | undefined }> {
  const { executions, nextPageToken } = await client.workflowService.listWorkflowExecutions({
    namespace: client.options.namespace,
    query,
    pageSize: page.size,
    ...(page.after === undefined ? {} : { nextPageToken: Buffer.from(page.after, 'base64') }),
  });
  return {
    runs: (executions ?? []).map(({ execution, status, searchAttributes }) => ({
      workflowId: execution?.workflowId ?? '',
      open: Number(status) === RUNNING,
      status: textOf(searchAttributes?.indexedFields?.[STATUS_SEARCH_ATTRIBUTE.name]),
    })),
    next: nextPageToken?.length ? Buffer.from(nextPageToken).toString('base64') : undefined,
  };
}

function textOf(payload: Payload | null | undefined): string | undefined {
  const value: unknown = payload ? defaultPayloadConverter.fromPayload(payload) : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** The latest run of a workflow, as it is now. */
export interface CurrentRun {
  open: boolean;
  /** e.g. `RUNNING`, `FAILED` */
  state: string;
  /** The business status that it shows. */
  status: string | undefined;
  /** The generation of the order that it runs. */
  generation: number | undefined;
  /** It is about to change: it decides, or waits for an activity. Sending an email changes nothing. */
  busy: boolean;
  /** It has news that no worker has looked at. One whose workflow task fails has been looked at. */
  isBehind: boolean;
}

const isEmail = (activity: string | null | undefined): boolean => activity?.endsWith('Email') ?? false;

/** @returns the latest run of a workflow, or undefined when Temporal does not know it, or no longer does */
export async function readCurrentRun(client: Client, workflowId: string): Promise<CurrentRun | undefined> {
  try {
    const { status, memo, typedSearchAttributes, raw } = await client.workflow.getHandle(workflowId).describe();
    const generation = memo?.['generation'];
    const activities = raw.pendingActivities ?? [];
    return {
      open: status.name === 'RUNNING',
      state: status.name,
      status: typedSearchAttributes.get(STATUS_SEARCH_ATTRIBUTE),
      generation: typeof generation === 'number' ? generation : undefined,
      isBehind: raw.pendingWorkflowTask?.attempt === 1,
      busy: Boolean(raw.pendingWorkflowTask) || activities.some(({ activityType }) => !isEmail(activityType?.name)),
    };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
