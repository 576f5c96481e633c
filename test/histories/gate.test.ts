import { DeterminismViolationError } from '@temporalio/workflow';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundleChangedWorkflows, type Change } from '../support/changed-workflows.ts';
import { readGoldenRuns, type GoldenRun } from './golden.ts';

Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR', forward: {} } } });

/** One careless change in each workflow. One bundle proves all three. */
const CHANGES: Change[] = [
  {
    file: 'order.ts',
    change(code) {
      const [charge, ship] = ['charge', 'ship'].map(
        (step) => new RegExp(`^ *await step\\('${step}', .*?\\);$`, 'ms').exec(code)?.[0],
      );
      if (!charge || !ship) return code;
      return code.replace(charge, '<ship>').replace(ship, charge).replace('<ship>', ship);
    },
  },
  { file: 'signup.ts', change: (code) => code.replace(/^ *await bookkeeping\.startTrial\(.*\n/m, '') },
  { file: 'alert.ts', change: (code) => code.replace(/^ *await sleep\(digestEvery, .*\n/m, '') },
];

let careless: string;
let runs: GoldenRun[];

beforeAll(async () => {
  [runs, careless] = await Promise.all([readGoldenRuns(), bundleChangedWorkflows(CHANGES)]);
});

/** Replays a recorded run against the changed code. */
async function replay(name: string): Promise<void> {
  const run = runs.find((candidate) => candidate.name === name);
  if (!run) throw new Error(`No golden history ${name}.`);
  await Worker.runReplayHistory({ workflowBundle: { code: careless } }, run.history, run.workflowId);
}

describe('the history check', () => {
  it('catches steps in another order', async () => {
    await expect(replay('order-delivered.json')).rejects.toThrow(DeterminismViolationError);
  });

  it('catches a removed call', async () => {
    await expect(replay('signup-trial-ended.json')).rejects.toThrow(DeterminismViolationError);
  });

  it('catches a removed timer', async () => {
    await expect(replay('alert-digests.json')).rejects.toThrow(DeterminismViolationError);
  });

  it('passes a path that the change does not affect', async () => {
    await expect(replay('signup-expired.json')).resolves.toBeUndefined();
  });
});
