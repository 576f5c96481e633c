import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { historyToJSON, type History } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { expect, inject } from 'vitest';
import { decryptHistory } from '../../src/temporal/histories/clear-text.ts';
import * as golden from '../../src/temporal/histories/golden.ts';
import { codec, dataConverter } from './payloads.ts';

export type { History };

/**
 * Where the golden histories are: one for each path through a workflow, and for each patch one from before it. Runs in
 * production look like them. If one no longer replays, do not record it again: the code needs a patch.
 */
export const HISTORIES = fileURLToPath(new URL('../histories/golden/', import.meta.url));

/** A golden history of this repository always names its workflow. */
export const goldenHistorySchema = golden.goldenHistorySchema.required({ workflowId: true });

/** A run that a test has made. */
export interface TestRun {
  workflowId: string;
  history: History;
  /** The path that the run stands for, such as `order-delivered`. */
  path: string | undefined;
}

/**
 * Replays runs against the present code and expects no difference. With `RECORD_HISTORIES=1`, a run that stands for a
 * path becomes its golden history, unless there is one already.
 */
export async function checkHistories(runs: readonly TestRun[]): Promise<void> {
  const replays = Worker.runReplayHistories({ workflowBundle: { codePath: inject('workflowBundlePath') }, dataConverter }, runs);
  const differences: string[] = [];
  for await (const { workflowId, error } of replays) if (error) differences.push(`${workflowId}: ${error.message}`);
  expect(differences).toEqual([]);
  if (process.env['RECORD_HISTORIES'] !== '1') return;
  for (const { path, workflowId, history } of runs) {
    if (path === undefined || existsSync(join(HISTORIES, `${path}.json`))) continue;
    await golden.writeGolden(HISTORIES, path, golden.toGolden(workflowId, decryptHistory(history, codec)));
  }
}

/** @returns a history in JSON with its payloads as text: they are in Base64 */
export const readable = (json: string): string =>
  JSON.stringify(
    JSON.parse(json, (key, value: unknown) =>
      typeof value === 'string' && (key === 'data' || key === 'encoding') ? Buffer.from(value, 'base64').toString() : value,
    ),
  );

/** @returns everything that a history holds, as text, decrypted */
export const textOf = (history: History): string => readable(historyToJSON(decryptHistory(history, codec)));
