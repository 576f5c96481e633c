import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { historyFromJSON, type History } from '@temporalio/common/lib/proto-utils.js';
import { goldenHistorySchema } from './golden.ts';

/** A run that can be replayed. */
export interface RecordedRun {
  /** The file of a golden history; else the workflow id. */
  name: string;
  workflowId: string;
  /** null for a file */
  runId: string | null;
  /** Fetches the history. Only one is in memory at a time. */
  load: () => Promise<History>;
}

/**
 * @param runId default: the latest
 * @returns one run of a workflow, or nothing when Temporal does not know it
 */
export async function findRun(client: Client, workflowId: string, runId?: string): Promise<RecordedRun[]> {
  try {
    const description = await client.workflow.getHandle(workflowId, runId).describe();
    return [runOf(client, workflowId, description.runId)];
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return [];
    throw error;
  }
}

/**
 * @param query a visibility list filter, e.g. `ExecutionStatus="Running" AND WorkflowType="order"`
 * @returns the newest runs that match, at most `limit`
 * @see https://docs.temporal.io/list-filter
 */
export async function findRuns(client: Client, query: string, limit: number): Promise<RecordedRun[]> {
  const runs: RecordedRun[] = [];
  for await (const { workflowId, runId } of client.workflow.list({ query })) {
    runs.push(runOf(client, workflowId, runId));
    if (runs.length === limit) break;
  }
  return runs;
}

const runOf = (client: Client, workflowId: string, runId: string): RecordedRun => ({
  name: workflowId,
  workflowId,
  runId,
  load: () => client.workflow.getHandle(workflowId, runId).fetchHistory(),
});

/** @returns the histories in a folder by name: golden ones, and those written by Temporal's own tools */
export async function readFolder(folder: string): Promise<RecordedRun[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json')).toSorted();
  return await Promise.all(
    files.map(async (file) => {
      const path = join(folder, file);
      const { success, data } = goldenHistorySchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
      return {
        name: file,
        // Temporal's own tools leave it out.
        workflowId: data?.workflowId ?? basename(file, '.json'),
        runId: null,
        load: async () => {
          if (!success) throw new Error(`${file} is not a history.`);
          return historyFromJSON({ events: data.events });
        },
      };
    }),
  );
}
