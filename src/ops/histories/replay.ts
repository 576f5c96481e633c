import type { History } from '@temporalio/common/lib/proto-utils.js';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { readDivergence, type Divergence } from './divergence.ts';
import type { RecordedRun } from './sources.ts';

/** What became of a replay. */
export interface Replayed {
  run: RecordedRun;
  history: History;
  /** null: the code at hand does the same */
  divergence: Divergence | null;
}

/**
 * ms that the replay of one run may take. The SDK waits without end where the code calls a local activity that the run
 * did not call: in a replay nobody does it.
 */
const PATIENCE = 15_000;

/**
 * Replays runs, one after another, against workflow code. A process in which one got stuck has to be ended by
 * `process.exit`.
 * @param bundle path of the bundled workflow code
 * @throws when a history cannot be fetched or read
 */
export async function* replayRuns(runs: RecordedRun[], bundle: string): AsyncGenerator<Replayed> {
  silence();
  for (let done = 0; done < runs.length; ) {
    for await (const replayed of replayUntilStuck(runs.slice(done), bundle)) {
      done += 1;
      yield replayed;
    }
  }
}

/** A replay worker that got stuck is of no more use: the runs behind it need another. */
async function* replayUntilStuck(runs: RecordedRun[], bundle: string): AsyncGenerator<Replayed> {
  let current: { run: RecordedRun; history: History } | undefined;
  async function* histories() {
    while (current) yield { workflowId: current.run.workflowId, history: current.history };
  }
  const results = Worker.runReplayHistories({ workflowBundle: { codePath: bundle } }, histories());
  let stuck = false;
  try {
    for (const run of runs) {
      const { history } = (current = { run, history: await run.load() });
      const result = await within(PATIENCE, results.next());
      stuck = result === undefined;
      const error = result?.done ? undefined : result?.value.error;
      yield { run, history, divergence: stuck ? STUCK : error ? readDivergence(error.message, history) : null };
      if (stuck) return;
    }
  } finally {
    if (!stuck) await results.return?.();
  }
}

const STUCK: Divergence = {
  event: null,
  expected: null,
  found: null,
  message: `no end within ${PATIENCE / 1_000} s: the code waits for what the run did not do, such as a local activity`,
};

/** @returns undefined when it takes longer than `patience` ms */
async function within<Value>(patience: number, work: Promise<Value>): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), patience);
  });
  try {
    return await Promise.race([work, tooLong]);
  } finally {
    clearTimeout(timer);
  }
}

/** What the SDK would log is in the result. */
function silence(): void {
  Runtime.install({
    logger: new DefaultLogger('ERROR', () => {}),
    telemetryOptions: { logging: { filter: 'ERROR', forward: {} } },
  });
}
