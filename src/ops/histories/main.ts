import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { Command, Option } from 'commander';
import { writeWorkflowBundle } from '../../bundle-workflows.ts';
import { EXIT, RefusedError, run, UsageError } from '../cli/exit.ts';
import { jsonOption, limitOption } from '../cli/options.ts';
import { red, type OutputOptions } from '../cli/output.ts';
import { findPersonalData, goldenName, toGolden, writeGolden } from './golden.ts';
import { replayRuns, type Replayed } from './replay.ts';
import { findRun, findRuns, readFolder, type RecordedRun } from './sources.ts';

/** `npm run replay`: would the workflow code at hand do again what real runs did? A gate before a deploy. */

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

const program = new Command('replay')
  .description('Replays real runs against the workflow code at hand, and says where they part.')
  .addOption(new Option('--workflow-id <id>', 'one run').conflicts('query'))
  .addOption(new Option('--run-id <id>', 'of that workflow; the latest, unless given'))
  .addOption(new Option('--query <filter>', 'the newest runs of a list filter, e.g. \'ExecutionStatus="Running"\''))
  .addOption(limitOption(100))
  .addOption(new Option('--dir <folder>', `the histories in a folder; with --record, where to write (${GOLDEN})`))
  .addOption(new Option('--record', 'keep the histories of the runs as golden ones'))
  .addOption(new Option('--name <name>', 'with --record: the name of the file, for a single run'))
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
It takes the code of WORKFLOW_BUNDLE where that is set, as a worker does; otherwise it bundles the sources.

Exit codes:
  0  every run replays, and there was at least one
  1  a run and the code part, or it failed
  2  wrong usage
  3  nothing was found to replay; or what was to be recorded must not be kept`,
  )
  .showHelpAfterError('(--help says more)')
  .exitOverride()
  .action(async (options: Options) => {
    checkUsage(options);
    const connection = Connection.lazy(loadClientConnectConfig().connectionOptions);
    try {
      await replayAll(await findSource(connection, options), options);
    } finally {
      await connection.close();
    }
  });

function checkUsage({ workflowId, runId, query, dir, record, name }: Options): void {
  const sources = [workflowId, query, record ? undefined : dir].filter((source) => source !== undefined);
  if (sources.length !== 1) throw new UsageError('Say what to replay: --workflow-id, --query or --dir.');
  if (runId !== undefined && workflowId === undefined) throw new UsageError('--run-id goes with --workflow-id.');
  if (name !== undefined && (!record || workflowId === undefined)) {
    throw new UsageError('--name goes with --record and --workflow-id.');
  }
}

async function findSource(connection: Connection, options: Options): Promise<RecordedRun[]> {
  const { workflowId, runId, query, limit, dir } = options;
  const namespace = process.env['TEMPORAL_NAMESPACE'] ?? loadClientConnectConfig().namespace ?? 'default';
  const client = new Client({ connection, namespace });
  if (workflowId !== undefined) return await findRun(client, workflowId, runId);
  if (query !== undefined) return await findRuns(client, query, limit);
  return await readFolder(dir ?? GOLDEN);
}

/** A gate that has checked nothing must not be green. */
async function replayAll(runs: RecordedRun[], options: Options): Promise<void> {
  if (runs.length === 0) throw new RefusedError('Nothing was found to replay.');
  const results: Replayed[] = [];
  const files: string[] = [];
  await withBundle(async (bundle) => {
    for await (const replayed of replayRuns(runs, bundle)) {
      if (options.record) files.push(await keep(replayed, options));
      // Histories are large: they are let go once looked at.
      results.push({ ...replayed, history: {} });
      if (!options.json) console.log(lineOf(replayed, results.length, runs.length));
    }
  });
  const parted = results.filter(({ divergence }) => divergence !== null).length;
  const summary = { total: results.length, same: results.length - parted, parted };
  if (options.json) console.log(JSON.stringify({ ...summary, runs: results.map(viewOf), recorded: files }));
  else {
    for (const file of files) console.log(`Recorded ${file}`);
    console.log(`${summary.same} of ${summary.total} are the same${parted > 0 ? `; ${red(`${parted} part`)}` : ''}.`);
  }
  if (parted > 0) process.exitCode = EXIT.failed;
}

async function withBundle(work: (bundle: string) => Promise<void>): Promise<void> {
  const made = process.env['WORKFLOW_BUNDLE'];
  if (made) return await work(made);
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-replay-'));
  try {
    const bundle = join(folder, 'workflow-bundle.js');
    await writeWorkflowBundle(bundle);
    await work(bundle);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A golden history has to replay, and must not hold anything of a person. */
async function keep({ run: { workflowId }, history, divergence }: Replayed, options: Options): Promise<string> {
  if (divergence) throw new RefusedError(`${workflowId} does not replay: ${divergence.message}`);
  const golden = toGolden(workflowId, history);
  const personal = findPersonalData(golden);
  if (personal !== undefined) throw new RefusedError(`${workflowId} holds ${personal}: it must not be kept.`);
  const folder = options.dir ?? GOLDEN;
  await mkdir(folder, { recursive: true });
  return await writeGolden(folder, goldenName(options.name ?? workflowId), golden);
}

function lineOf({ run: { name, runId }, divergence }: Replayed, number: number, total: number): string {
  const count = `[${String(number).padStart(String(total).length)}/${total}]`;
  const who = runId === null ? name : `${name} ${runId}`;
  if (!divergence) return `${count} ✔ ${who}: same`;
  const { event, expected, found, message } = divergence;
  const where = event === null ? 'parts' : `parts at event ${event}`;
  const what = expected === null ? message : `expected ${expected}, found ${found ?? 'something else'}`;
  return red(`${count} ✘ ${who}: ${where}: ${what}`);
}

const viewOf = ({ run: { name, workflowId, runId }, divergence }: Replayed) => ({
  name,
  workflowId,
  runId,
  outcome: divergence ? 'parts' : 'same',
  divergence,
});

await run(program);
// After a bundle that cannot be loaded, the SDK's native part would keep the process.
process.exit();
