import type { History } from '@temporalio/common/lib/proto-utils.js';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { EncryptionCodec } from '../payloads/codec.ts';
import type { PayloadKeys } from '../payloads/keys.ts';
import { decryptHistory } from './clear-text.ts';
import { readDivergence, type Divergence } from './divergence.ts';
import type { RecordedRun } from './sources.ts';

/** The result of replaying one history. */
export interface Replayed {
  run: RecordedRun;
  /** In clear text. */
  history: History;
  /** null: the code does the same */
  divergence: Divergence | null;
}

/**
 * Replays runs, one after another, against workflow code.
 * @param bundle path of the bundled workflow code
 * @param keys those that the histories are encrypted with
 * @throws when a history cannot be fetched, read or decrypted, or the bundle cannot be loaded
 */
export async function* replayRuns(runs: Iterable<RecordedRun>, bundle: string, keys: PayloadKeys): AsyncGenerator<Replayed> {
  silence();
  const codec = new EncryptionCodec(keys);
  let current: { run: RecordedRun; history: History } | undefined;
  async function* histories() {
    for (const run of runs) {
      current = { run, history: decryptHistory(await run.load(), codec) };
      yield { workflowId: run.workflowId, history: current.history };
    }
  }
  // It asks for the next history only after the previous result was taken, and reports errors without throwing them.
  for await (const { error } of Worker.runReplayHistories({ workflowBundle: { codePath: bundle } }, histories())) {
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
