import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { temporal } from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import { inject } from 'vitest';
import { z } from 'zod';

export type History = temporal.api.history.v1.IHistory;

/**
 * Where the golden histories are: one file for each path through a workflow, and one of before for each patch. They are
 * what runs in production look like. One that no longer replays is not to be recorded anew: the code needs a patch.
 */
export const HISTORIES = fileURLToPath(new URL('../histories/golden/', import.meta.url));

/** What a golden file holds: the events as Temporal's own tools know them, and whose they are. */
export const goldenHistorySchema = z.object({ workflowId: z.string(), events: z.array(z.unknown()) });

/**
 * Replays a run against the code at hand: throws where they part. With `RECORD_HISTORIES=1` it also keeps the history
 * of a run that stands for a path as the golden one of that path.
 */
export async function checkHistory(run: {
  path: string | undefined;
  workflowId: string;
  history: History;
}): Promise<void> {
  const { path, workflowId, history } = run;
  await Worker.runReplayHistory({ workflowBundle: { codePath: inject('workflowBundlePath') } }, history, workflowId);
  if (process.env['RECORD_HISTORIES'] !== '1' || path === undefined) return;
  await mkdir(HISTORIES, { recursive: true });
  await writeFile(`${HISTORIES}${path}.json`, toGolden(workflowId, history));
}

/** Stack traces name the folders of the machine that recorded them, and replays do not look at them. */
function toGolden(workflowId: string, history: History): string {
  const recorded: unknown = JSON.parse(historyToJSON(history), (key, value: unknown) =>
    key === 'stackTrace' ? undefined : value,
  );
  const { events } = z.object({ events: z.array(z.unknown()) }).parse(recorded);
  return `${JSON.stringify({ workflowId, events })}\n`;
}
