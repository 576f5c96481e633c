import { readdir, readFile } from 'node:fs/promises';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { goldenHistorySchema, HISTORIES, type History } from '../support/histories.ts';

/** A recorded run. `name` is its file and describes its path. */
export interface GoldenRun {
  name: string;
  workflowId: string;
  history: History;
  /** The content of the file. */
  json: string;
}

/** @returns the recorded runs, by name */
export async function readGoldenRuns(): Promise<GoldenRun[]> {
  const files = (await readdir(HISTORIES)).filter((file) => file.endsWith('.json')).toSorted();
  return await Promise.all(
    files.map(async (name) => {
      const json = await readFile(`${HISTORIES}${name}`, 'utf8');
      const { workflowId, events } = goldenHistorySchema.parse(JSON.parse(json));
      return { name, workflowId, history: historyFromJSON({ events }), json };
    }),
  );
}
