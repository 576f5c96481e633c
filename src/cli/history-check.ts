import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, type Connection } from '@temporalio/client';
import { Command, Option } from 'commander';
import { loadPayloadKeys } from '../config.ts';
import { connectTemporal, temporalAddress } from '../temporal/connection.ts';
import { createDataConverter } from '../temporal/payloads/data-converter.ts';
import type { PayloadKeys } from '../temporal/payloads/keys.ts';
import { writeWorkflowBundle } from '../temporal/workflow-bundle.ts';
import { EXIT, RefusedError, run, UsageError } from './exit.ts';
import { jsonOption, limitOption } from './options.ts';
import { red, type OutputOptions } from './output.ts';
import { findPersonalData, goldenName, toGolden, writeGolden } from '../temporal/histories/golden.ts';
import { replayRuns, type Replayed } from '../temporal/histories/replay.ts';
import { findRun, findRuns, readFolder, type RecordedRun } from '../temporal/histories/sources.ts';

/** `npm run history-check`: does the present workflow code replay the histories of real runs? A gate before a deploy. */

const GOLDEN = 'test/histories/golden';

interface Options extends OutputOptions {
  workflowId?: string;
  runId?: string;
  query?: string;
  limit: number;
  dir?: string;
  record?: boolean;
  name?: string;
}

const program = new Command('history-check')
  .description('Replays the histories of real runs against the present workflow code, and shows where they diverge.')
  .addOption(new Option('--workflow-id <id>', 'one run').conflicts('query'))
  .addOption(new Option('--run-id <id>', 'of that workflow; default: the latest'))
  .addOption(new Option('--query <filter>', 'the newest runs of a list filter, e.g. \'ExecutionStatus="Running"\''))
  .addOption(limitOption(100))
  .addOption(new Option('--dir <folder>', `the histories in a folder; with --record, where to write (${GOLDEN})`))
  .addOption(new Option('--record', 'keep the histories as golden ones'))
  .addOption(new Option('--name <name>', 'with --record: the name of the file, for a single run'))
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
It uses the bundle that WORKFLOW_BUNDLE names, as a worker does. Without it, it bundles the sources.

Exit codes:
  0  every run replays, and there was at least one
  1  a run diverges from the code, or the command failed
  2  wrong usage
  3  no histories found, or a history must not be recorded`,
  )
  .showHelpAfterError('(see --help)')
  .exitOverride()
  .action(async (options: Options) => {
    checkUsage(options);
    const keys = loadPayloadKeys();
    const connection = connectTemporal();
    try {
      await checkAll(await findSource(connection, keys, options), keys, options);
    } finally {
      await connection.close();
    }
  });

function checkUsage({ workflowId, runId, query, dir, record, name }: Options): void {
  const sources = [workflowId, query, record ? undefined : dir].filter((source) => source !== undefined);
  if (sources.length !== 1) throw new UsageError('Give one of --workflow-id, --query or --dir.');
  if (runId !== undefined && workflowId === undefined) throw new UsageError('--run-id needs --workflow-id.');
  if (name !== undefined && (!record || workflowId === undefined)) {
    throw new UsageError('--name needs --record and --workflow-id.');
  }
}

async function findSource(connection: Connection, keys: PayloadKeys, options: Options): Promise<RecordedRun[]> {
  const { workflowId, runId, query, limit, dir } = options;
  const namespace = process.env['TEMPORAL_NAMESPACE'] ?? temporalAddress().namespace ?? 'default';
  const client = new Client({ connection, namespace, dataConverter: createDataConverter(keys) });
  if (workflowId !== undefined) return await findRun(client, workflowId, runId);
  if (query !== undefined) return await findRuns(client, query, limit);
  return await readFolder(dir ?? GOLDEN);
}

/** A gate that has checked nothing must not be green. */
async function checkAll(runs: RecordedRun[], keys: PayloadKeys, options: Options): Promise<void> {
  if (runs.length === 0) throw new RefusedError('No histories found.');
  const results: Replayed[] = [];
  const files: string[] = [];
  await withBundle(async (bundle) => {
    for await (const replayed of replayRuns(runs, bundle, keys)) {
      if (options.record) files.push(await keep(replayed, options));
      // Histories are large, so each is released once it was checked.
      results.push({ ...replayed, history: {} });
      if (!options.json) console.log(lineOf(replayed, results.length, runs.length));
    }
  });
  const diverged = results.filter(({ divergence }) => divergence !== null).length;
  const summary = { total: results.length, same: results.length - diverged, diverged };
  if (options.json) console.log(JSON.stringify({ ...summary, runs: results.map(viewOf), recorded: files }));
  else {
    for (const file of files) console.log(`Recorded ${file}`);
    console.log(`${summary.same} of ${summary.total} replay${diverged > 0 ? `; ${red(`${diverged} diverge`)}` : ''}.`);
  }
  if (diverged > 0) process.exitCode = EXIT.failed;
}

async function withBundle(work: (bundle: string) => Promise<void>): Promise<void> {
  const made = process.env['WORKFLOW_BUNDLE'];
  if (made) return await work(made);
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-history-check-'));
  try {
    const bundle = join(folder, 'workflow-bundle.js');
    await writeWorkflowBundle(bundle);
    await work(bundle);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A golden history must replay, and must not hold personal data. */
async function keep({ run: { workflowId }, history, divergence }: Replayed, options: Options): Promise<string> {
  if (divergence) throw new RefusedError(`${workflowId} does not replay: ${divergence.message}`);
  const golden = toGolden(workflowId, history);
  const personal = findPersonalData(golden);
  if (personal !== undefined) throw new RefusedError(`${workflowId} holds ${personal}, so it must not be recorded.`);
  const folder = options.dir ?? GOLDEN;
  await mkdir(folder, { recursive: true });
  return await writeGolden(folder, goldenName(options.name ?? workflowId), golden);
}

function lineOf({ run: { name, runId }, divergence }: Replayed, number: number, total: number): string {
  const count = `[${String(number).padStart(String(total).length)}/${total}]`;
  const who = runId === null ? name : `${name} ${runId}`;
  if (!divergence) return `${count} ✔ ${who}: same`;
  const { event, expected, found, message } = divergence;
  const where = event === null ? 'diverges' : `diverges at event ${event}`;
  const what = expected === null ? message : `expected ${expected}, found ${found ?? 'something else'}`;
  return red(`${count} ✘ ${who}: ${where}: ${what}`);
}

const viewOf = ({ run: { name, workflowId, runId }, divergence }: Replayed) => ({
  name,
  workflowId,
  runId,
  outcome: divergence ? 'diverged' : 'same',
  divergence,
});

await run(program);
// After a bundle that cannot be loaded, the SDK's native part would keep the process alive.
process.exit();
