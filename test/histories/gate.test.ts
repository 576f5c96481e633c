import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DeterminismViolationError } from '@temporalio/workflow';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readGoldenRuns, type GoldenRun } from './golden.ts';

Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR', forward: {} } } });

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

/** One careless change in each workflow, so that one bundle proves all three. */
const CHANGES: { file: string; change: (code: string) => string }[] = [
  {
    file: 'order.ts',
    change(code) {
      const [charge, ship] = ['charge', 'ship'].map((step) => new RegExp(`^ *await attempt\\('${step}'.*$`, 'm').exec(code)?.[0]);
      if (!charge || !ship) return code;
      return code.replace(charge, '<ship>').replace(ship, charge).replace('<ship>', ship);
    },
  },
  { file: 'signup.ts', change: (code) => code.replace(/^ *await bookkeeping\.startTrial\(.*\n/m, '') },
  { file: 'alert.ts', change: (code) => code.replace(/^ *await sleep\(digestEvery\);\n/m, '') },
];

let folder: string;
let careless: string;
let runs: GoldenRun[];

beforeAll(async () => {
  runs = await readGoldenRuns();
  folder = await mkdtemp(join(tmpdir(), 'holdfast-gate-'));
  await cp(join(PROJECT, 'src/workflows'), join(folder, 'workflows'), { recursive: true });
  await cp(join(PROJECT, 'src/contracts'), join(folder, 'contracts'), { recursive: true });
  await symlink(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
  for (const { file, change } of CHANGES) {
    const path = join(folder, 'workflows', file);
    const code = await readFile(path, 'utf8');
    const changed = change(code);
    if (changed === code) throw new Error(`${file} no longer has what is to be changed.`);
    await writeFile(path, changed);
  }
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(folder, 'workflows/index.ts'),
    logger: new DefaultLogger('ERROR'),
  });
  careless = code;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Replays a recorded run against the changed code. */
async function replay(name: string): Promise<void> {
  const run = runs.find((candidate) => candidate.name === name);
  if (!run) throw new Error(`There is no golden history ${name}.`);
  await Worker.runReplayHistory({ workflowBundle: { code: careless } }, run.history, run.workflowId);
}

describe('the replay of golden histories', () => {
  it('catches steps that were put in another order', async () => {
    await expect(replay('order-delivered.json')).rejects.toThrow(DeterminismViolationError);
  });

  it('catches a call that was taken out', async () => {
    await expect(replay('signup-trial-ended.json')).rejects.toThrow(DeterminismViolationError);
  });

  it('catches a timer that was taken out', async () => {
    await expect(replay('alert-digests.json')).rejects.toThrow(DeterminismViolationError);
  });

  it('lets a path pass that the change does not touch', async () => {
    await expect(replay('signup-expired.json')).resolves.toBeUndefined();
  });
});
