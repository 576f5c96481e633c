import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { runCommand, TIME_FOR_COMMANDS } from '../support/command.ts';
import { HISTORIES } from '../support/histories.ts';

vi.setConfig({ testTimeout: TIME_FOR_COMMANDS });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-history-check-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** As webpack writes them: the charge, and its activity. */
const CHARGE = /outside\([\w.]+payment, [^)]*\)\s*=>\s*chargePayment\(ref\)\)/;
const CHARGE_ACTIVITY = /\(\{ chargePayment \}\)\s*=>\s*chargePayment\(ref\)/;

const historyCheck = (args: string[], bundle = inject('workflowBundlePath')) =>
  runCommand('src/cli/history-check.ts', args, { WORKFLOW_BUNDLE: bundle });

/** @returns the path of a bundle with a careless change in it */
async function changedBundle(name: string, from: RegExp, to: string): Promise<string> {
  const code = await readFile(inject('workflowBundlePath'), 'utf8');
  const changed = code.replace(from, to);
  expect(changed).not.toBe(code);
  const file = join(folder, `${name}.js`);
  await writeFile(file, changed);
  return file;
}

async function folderOf(name: string, files: Record<string, string>): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  for (const [file, content] of Object.entries(files)) await writeFile(join(path, file), content);
  return path;
}

const golden = (name: string) => readFile(join(HISTORIES, name), 'utf8');

describe('history-check --dir', () => {
  it('reports progress and each history that replays, and exits with 0', async () => {
    const { code, stdout } = await historyCheck(['--dir', HISTORIES]);
    expect(stdout).toMatch(/^\[ ?1\/\d+\] ✔ .*\.json: same$/m);
    expect(stdout).toMatch(/^(\d+) of \1 replay\.$/m);
    expect(code).toBe(0);
  });

  it('shows where a run diverges from the code, and exits with 1', async () => {
    const histories = await folderOf('diverged', {
      'order-delivered.json': await golden('order-delivered.json'),
      'signup-expired.json': await golden('signup-expired.json'),
    });
    const careless = await changedBundle('renamed', CHARGE_ACTIVITY, '({ requestShipment })=>requestShipment(ref)');
    const { code, stdout } = await historyCheck(['--dir', histories], careless);
    expect(stdout).toContain('expected activity chargePayment, found activity requestShipment');
    expect(stdout).toContain('signup-expired.json: same');
    expect(stdout).toContain('1 of 2 replay; 1 diverge.');
    expect(code).toBe(1);
  });

  it.each([
    ['order-delivered-before-first-tries.json', 'ActivityTaskScheduled (chargePayment)', 'another command (timer)'],
    ['order-delivered.json', 'local activity chargePayment', 'nothing, or another command'],
  ])('names the event at which the code does something else: %s', async (name, expected, found) => {
    const histories = await folderOf(`events of ${name}`, { [name]: await golden(name) });
    const careless = await changedBundle(`timer in ${name}`, CHARGE, '(0,_temporalio_workflow__WEBPACK_IMPORTED_MODULE_0__.condition)(()=>false, 3600000)');
    const { code, stdout } = await historyCheck(['--dir', histories, '--json'], careless);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      total: 1,
      same: 0,
      diverged: 1,
      runs: [
        {
          name,
          outcome: 'diverged',
          divergence: { event: expect.any(Number), expected, found, message: expect.any(String) },
        },
      ],
    });
  });

  it('exits with 1 when the code cannot be loaded', async () => {
    const broken = await changedBundle('broken', CHARGE, '(');
    const { code, stderr } = await historyCheck(['--dir', HISTORIES], broken);
    expect(code).toBe(1);
    expect(stderr).toContain('Unexpected token');
  });

  it('exits with 3 when it has checked nothing', async () => {
    expect(await historyCheck(['--dir', await folderOf('empty', {})])).toMatchObject({ code: 3, stderr: expect.stringContaining('No histories found') });
  });

  it('exits with 1 for a file that is not a history', async () => {
    const { code, stderr } = await historyCheck(['--dir', await folderOf('damaged', { 'a.json': '{"events":[]}' })]);
    expect(code).toBe(1);
    expect(stderr).toContain('a.json is not a history');
  });

  it('exits with 2 without a query or a folder', async () => {
    expect((await historyCheck([])).code).toBe(2);
    expect((await historyCheck(['--dir', folder, '--query', 'x'])).code).toBe(2);
  });
});
