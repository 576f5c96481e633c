import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { temporal } from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import { inject } from 'vitest';

export type History = temporal.api.history.v1.IHistory;

/** Where the golden histories are: one file for each path through a workflow. */
export const HISTORIES = fileURLToPath(new URL('../histories/golden/', import.meta.url));

/** What a golden file holds: the events as Temporal's own tools know them, and whose they are. */
export interface GoldenHistory {
  workflowId: string;
  events: unknown[];
}

/**
 * Replays a run against the code at hand: throws where they part. With `RECORD_HISTORIES=1` it also keeps the history
 * as a golden one, under the name of the path that it took.
 */
export async function checkHistory(run: { name: string; workflowId: string; history: History }): Promise<void> {
  const { name, workflowId, history } = run;
  await Worker.runReplayHistory({ workflowBundle: { codePath: inject('workflowBundlePath') } }, history, workflowId);
  if (process.env['RECORD_HISTORIES'] !== '1') return;
  await mkdir(HISTORIES, { recursive: true });
  const kind = workflowId.split('/')[0] ?? 'run';
  const file = `${kind}-${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}.json`;
  await writeFile(`${HISTORIES}${file}`, toGolden(workflowId, history));
}

/** Stack traces name the folders of the machine that recorded them, and replays do not look at them. */
function toGolden(workflowId: string, history: History): string {
  const { events } = JSON.parse(historyToJSON(history), (key, value: unknown) =>
    key === 'stackTrace' ? undefined : value,
  ) as GoldenHistory;
  return `${JSON.stringify({ workflowId, events })}\n`;
}
