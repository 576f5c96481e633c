// `npm run test:sabotage`: proves that the crash storm can fail. For each known mistake it copies the project, makes the
// mistake in the copy, and runs a storm there, which must find it. The same storm over the right code must be green.
// `-- --only <text>` runs the mistakes whose name contains the text; `-- --only-mistakes` leaves the right code out.
import { spawn } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { z } from 'zod';
import { temporalBinary, temporalCli } from '../../../src/sandbox/temporal-binaries.ts';
import { DRAIN_FAILED, STORM_VARIABLE } from '../storm/options.ts';
import { sabotagedCopy } from './copy.ts';
import { SABOTAGES, type Edit, type Sabotage } from './sabotages.ts';

const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, 'only-mistakes': { type: 'boolean', default: false } },
});
const chosen = SABOTAGES.filter(({ name }) => name.includes(values.only));

/** How a storm ended. `broken`: it did not run to its end, so it says nothing about the mistake. */
interface Verdict {
  outcome: 'green' | 'red' | 'broken';
  /** What the storm found, or why it is broken. */
  why: string;
  minutes: number;
}

// The copies have no cache of their own.
const program = await temporalBinary(temporalCli);
const table = new Table({ head: ['mistake', 'storm', 'code', 'outcome', 'found', 'min'], wordWrap: true, colWidths: [30, 20, 10, 9, 60, 6] });
let isProven = chosen.length > 0;
for (const { name, storm, aim, mistake } of chosen) {
  const row = async (code: string, edits: readonly Edit[], expected: Verdict['outcome']) => {
    const { outcome, why, minutes } = await runStormOver(edits, storm);
    isProven &&= outcome === expected;
    table.push([name, `${storm?.orders ?? ''} orders, seed ${storm?.seed ?? ''}`, code, outcome, why, minutes.toFixed(1)]);
  };
  if (!values['only-mistakes']) await row('right', aim, 'green');
  await row('mistaken', [...aim, ...mistake], 'red');
  console.log(table.toString());
}
console.log(isProven ? 'The storm finds every mistake.' : 'The storm does not find every mistake.');
process.exit(isProven ? 0 : 1);

async function runStormOver(edits: readonly Edit[], storm: Sabotage['storm']): Promise<Verdict> {
  const started = performance.now();
  const folder = await sabotagedCopy(edits);
  const reportFile = join(folder.path, 'report', 'storm.json');
  await mkdir(join(folder.path, 'report'));
  const vitest = spawn(
    join(folder.path, 'node_modules', '.bin', 'vitest'),
    ['run', '--project', 'storm', '--disable-console-intercept', '--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`],
    {
      cwd: folder.path,
      stdio: 'inherit',
      env: { ...process.env, [temporalCli.override]: program, [STORM_VARIABLE]: JSON.stringify(storm) },
    },
  );
  await new Promise((resolve) => vitest.once('exit', resolve));
  const report = await readFile(reportFile, 'utf8').catch(() => undefined);
  await folder.remove();
  return { ...verdict(report), minutes: (performance.now() - started) / 60_000 };
}

function verdict(report: string | undefined): Omit<Verdict, 'minutes'> {
  if (report === undefined) return { outcome: 'broken', why: 'Vitest wrote no report.' };
  const { success, testResults } = z
    .object({
      success: z.boolean(),
      testResults: z.array(
        z.object({
          message: z.string(),
          assertionResults: z.array(z.object({ title: z.string(), status: z.string(), failureMessages: z.array(z.string()) })),
        }),
      ),
    })
    .parse(JSON.parse(report));
  if (success) return { outcome: 'green', why: '' };
  const messages = testResults.map(({ message }) => message).join('\n');
  const failed = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === 'failed')
    .map(({ title, failureMessages }) => `${title}: ${failureMessages[0]?.split('\n')[0] ?? ''}`);
  const stuck = messages.slice(messages.indexOf(DRAIN_FAILED)).split('\n').slice(0, 4).join('\n');
  if (messages.includes(DRAIN_FAILED)) return { outcome: 'red', why: stuck };
  return failed.length > 0 ? { outcome: 'red', why: failed.join('\n') } : { outcome: 'broken', why: messages.slice(0, 500) };
}
