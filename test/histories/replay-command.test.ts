import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { findPersonalData } from '../../src/ops/histories/golden.ts';
import { runCommand } from '../support/command.ts';
import { HISTORIES } from '../support/histories.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-replay-command-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** As webpack writes it. */
const CHARGE = /\w+\.payment\.chargePayment\(ref\)/;

const replay = (args: string[], bundle = inject('workflowBundlePath')) =>
  runCommand('src/ops/histories/main.ts', args, { WORKFLOW_BUNDLE: bundle });

/** @returns the path of a bundle in which something is another thing: careless work of a programmer */
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

describe('npm run replay -- --dir', () => {
  it('says for each history that it is the same, with progress, and ends with 0', async () => {
    const { code, stdout } = await replay(['--dir', HISTORIES]);
    expect(stdout).toMatch(/^\[ ?1\/\d+\] ✔ .*\.json: same$/m);
    expect(stdout).toMatch(/^(\d+) of \1 are the same\.$/m);
    expect(code).toBe(0);
  });

  it('says where a run and the code part, and ends with 1', async () => {
    const histories = await folderOf('parts', {
      'order-delivered.json': await golden('order-delivered.json'),
      'signup-expired.json': await golden('signup-expired.json'),
    });
    const careless = await changedBundle('renamed', /payment\.chargePayment\(ref\)/, 'warehouse.requestShipment(ref)');
    const { code, stdout } = await replay(['--dir', histories], careless);
    expect(stdout).toContain('expected activity chargePayment, found activity requestShipment');
    expect(stdout).toContain('signup-expired.json: same');
    expect(stdout).toContain('1 of 2 are the same; 1 part.');
    expect(code).toBe(1);
  });

  it('names the event at which the code does nothing, or something of another kind', async () => {
    const histories = await folderOf('events', { 'order-delivered.json': await golden('order-delivered.json') });
    const careless = await changedBundle('timer', CHARGE, '(0,_temporalio_workflow__WEBPACK_IMPORTED_MODULE_0__.condition)(()=>false, 3600000)');
    const { code, stdout } = await replay(['--dir', histories, '--json'], careless);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      total: 1,
      same: 0,
      parted: 1,
      runs: [
        {
          name: 'order-delivered.json',
          outcome: 'parts',
          divergence: {
            event: expect.any(Number),
            expected: 'ActivityTaskScheduled (chargePayment)',
            found: 'another command (timer)',
            message: expect.any(String),
          },
        },
      ],
    });
  });

  it('fails, and ends, when the code cannot even be loaded: 1', async () => {
    const broken = await changedBundle('broken', /payment\.chargePayment\(ref\)/, '(');
    const { code, stderr } = await replay(['--dir', HISTORIES], broken);
    expect(code).toBe(1);
    expect(stderr).toContain('Unexpected token');
  });

  it('is not green when it has checked nothing: 3', async () => {
    expect(await replay(['--dir', await folderOf('empty', {})])).toMatchObject({ code: 3, stderr: expect.stringContaining('Nothing') });
  });

  it('fails on a file that is no history: 1', async () => {
    const { code, stderr } = await replay(['--dir', await folderOf('damaged', { 'a.json': '{"events":[]}' })]);
    expect(code).toBe(1);
    expect(stderr).toContain('a.json is not a history');
  });

  it('needs to know what to replay: 2', async () => {
    expect((await replay([])).code).toBe(2);
    expect((await replay(['--dir', folder, '--query', 'x'])).code).toBe(2);
  });
});

/** @returns a golden history with this payload */
const holding = (data: string, encoding = 'json/plain') =>
  JSON.stringify({
    workflowId: 'order/1',
    events: [{ input: { payloads: [{ metadata: { encoding: btoa(encoding) }, data: btoa(data) }] } }],
  });

describe('a golden history', () => {
  it('must not hold an address of a person, nor what cannot be looked into', () => {
    expect(findPersonalData(holding('{"email":"ada@example.com"}'))).toBe('an email address in a payload');
    expect(findPersonalData(JSON.stringify({ failure: { message: 'no mail to ada@example.com' } }))).toBe('an email address');
    expect(findPersonalData(holding('x', 'binary/encrypted'))).toContain('cannot be looked into');
    expect(findPersonalData(holding('{"orderId":"1"}'))).toBeUndefined();
  });

  it('of this repository passes the same test', async () => {
    expect(findPersonalData(await golden('order-delivered.json'))).toBeUndefined();
  });
});
