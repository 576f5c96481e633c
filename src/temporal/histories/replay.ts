import type { History } from '@temporalio/common/lib/proto-utils.js';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { createDataConverter } from '../payloads/data-converter.ts';
import type { PayloadKeys } from '../payloads/keys.ts';
import { readDivergence, type Divergence } from './divergence.ts';
import type { RecordedRun } from './sources.ts';

/** The result of replaying one history. */
export interface Replayed {
  run: RecordedRun;
  history: History;
  /** null: the code does the same */
  divergence: Divergence | null;
}

/**
 * Replays runs, one after another, against workflow code.
 * @param bundle path of the bundled workflow code
 * @param keys those that the histories are encrypted with
 * @throws when a history cannot be fetched or read, or the bundle cannot be loaded
 */
export async function* replayRuns(runs: Iterable<RecordedRun>, bundle: string, keys: PayloadKeys): AsyncGenerator<Replayed> {
  silence();
  let current: { run: RecordedRun; history: History } | undefined;
  async function* histories() {
    for (const run of runs) {
      current = { run, history: await run.load() };
      yield { workflowId: run.workflowId, history: current.history };
    }
  }
  const options = { workflowBundle: { codePath: bundle }, dataConverter: createDataConverter(keys) };
  // It asks for the next history only after the previous result was taken, and reports errors without throwing them.
  for await (const { error } of Worker.runReplayHistories(options, histories())) {
    if (current) yield { ...current, divergence: error ? readDivergence(error.message, current.history) : null };
  }
}

/** What the SDK would log is already in the result. */
function silence(): void {
  Runtime.install({
    logger: new DefaultLogger('ERROR', () => {}),
    telemetryOptions: { logging: { filter: 'ERROR', forward: {} } },
  });
}
