// `npm test`: types, lint and tests. Each runs even if an earlier one failed, so that one run shows every problem. The last
// line counts the tests.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'holdfast-check-'));
const reportFile = join(folder, 'tests.json');

const steps = [
  { name: 'types', program: 'tsc', args: ['--noEmit'] },
  { name: 'lint', program: 'oxlint', args: ['--type-aware', '--deny-warnings'] },
  {
    name: 'tests',
    program: 'vitest',
    args: ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`, ...process.argv.slice(2)],
  },
];

// Ctrl-C also reaches the running step, which shares the terminal. Wait for it to shut down.
process.on('SIGINT', () => {});

const failed: string[] = [];
for (const { name, program, args } of steps) {
  console.log(`\n── ${name}`);
  const started = performance.now();
  const ok = await succeeds(program, args);
  if (!ok) failed.push(name);
  console.log(`── ${name} ${ok ? 'passed' : 'FAILED'} in ${((performance.now() - started) / 1_000).toFixed(1)} s`);
}

const counts = await countTests();
await rm(folder, { recursive: true, force: true });
if (failed.length > 0) console.log(`\nfailed: ${failed.join(', ')}`);
console.log(`\n${counts.passed} passed, ${counts.failed} failed`);
process.exit(failed.length > 0 ? 1 : 0);

function succeeds(program: string, args: string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(join(root, 'node_modules', '.bin', program), args, { cwd: root, stdio: 'inherit' });
    child.once('error', (error) => {
      console.error(error.message);
      resolve(false);
    });
    child.once('exit', (code) => resolve(code === 0));
  });
}

/** A file that cannot be loaded has no tests: it counts as one failed test. */
async function countTests(): Promise<{ passed: number; failed: number }> {
  const report = z.object({
    numPassedTests: z.number(),
    numFailedTests: z.number(),
    testResults: z.array(z.object({ status: z.string(), assertionResults: z.array(z.unknown()) })),
  });
  const text = await readFile(reportFile, 'utf8').catch(() => undefined);
  // Vitest ended before it wrote its report.
  if (text === undefined) return { passed: 0, failed: 1 };
  const { numPassedTests, numFailedTests, testResults } = report.parse(JSON.parse(text));
  const unloadable = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  );
  return { passed: numPassedTests, failed: numFailedTests + unloadable.length };
}
