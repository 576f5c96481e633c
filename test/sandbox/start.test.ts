import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRunning, type ProcessIdentity } from '../../src/sandbox/process-identity.ts';
import { projectRoot } from '../../src/sandbox/project.ts';
import { loadSecrets } from '../../src/sandbox/secrets.ts';
import { freePortVariables } from '../support/stack-ports.ts';

let home: string;
let environment: NodeJS.ProcessEnv;
let api: string;
const started: ChildProcess[] = [];

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'holdfast-start-'));
  await chmod(home, 0o755);
  const ports = await freePortVariables();
  environment = { ...process.env, NODE_ENV: 'development', HOLDFAST_HOME: home, ...ports };
  api = `http://127.0.0.1:${ports['API_PORT']}`;
});

afterAll(async () => {
  for (const stack of started) {
    if (stack.exitCode !== null || stack.signalCode !== null) continue;
    stack.kill('SIGTERM');
    await once(stack, 'exit');
  }
  await rm(home, { recursive: true });
});

/** Runs what `npm start` runs, and keeps the lines that it prints. */
function npmStart() {
  const stack = spawn(process.execPath, ['scripts/bootstrap.mjs', 'src/sandbox/main.ts'], {
    cwd: projectRoot,
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.push(stack);
  const printed: string[] = [];
  const lines = createInterface({ input: stack.stdout });
  lines.on('line', (line) => printed.push(line));
  const ended = once(stack, 'exit');
  /** Resolves once a line with this text is printed, or the process ends. */
  const shown = (text: string) =>
    new Promise<void>((resolve) => {
      const look = (line: string) => line.includes(text) && resolve();
      printed.forEach(look);
      lines.on('line', look);
      void ended.then(() => resolve());
    });
  return { stack, printed, ended, shown };
}

async function children(): Promise<ProcessIdentity[]> {
  const claim: { children: { identity: ProcessIdentity }[] } = JSON.parse(
    await readFile(join(home, 'stack.json'), 'utf8'),
  );
  return claim.children.map(({ identity }) => identity);
}

/** The files of the stack that others than their owner may read or write. PostgreSQL sees to its own. */
async function filesForOthers(): Promise<string[]> {
  const files = (await readdir(home, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => !path.startsWith(join(home, 'postgres')));
  const rights = await Promise.all(files.map(async (path) => (await stat(path)).mode & 0o077));
  return files.filter((_, index) => rights[index] !== 0);
}

async function call(path: string, init: { method?: string; headers?: Record<string, string>; body?: string } = {}) {
  const { customerKey } = await loadSecrets(home);
  const headers = { authorization: `Bearer ${customerKey}`, 'content-type': 'application/json', ...init.headers };
  const response = await fetch(`${api}${path}`, { ...init, headers });
  const body: unknown = await response.json();
  return { status: response.status, body };
}

describe('npm start', { timeout: 400_000 }, () => {
  it('starts everything, keeps its data when killed, and leaves nothing behind when stopped', async () => {
    const first = npmStart();
    await first.shown('Place an order');
    expect(first.printed.join('\n')).toContain('Holdfast is up');
    const [where = ''] = /http\S+/.exec(first.printed.find((line) => line.includes('Shop window')) ?? '') ?? [];
    expect(await (await fetch(where)).text()).toContain('Place an order');
    const settings = await fetch(`http://127.0.0.1:${environment['TEMPORAL_UI_PORT']}/api/v1/settings`);
    // With them, the Web UI sends the operator's session to the codec.
    expect(await settings.json()).toMatchObject({ Codec: { Endpoint: `${api}/codec`, IncludeCredentials: true } });
    const placed = await call('/v1/orders', {
      method: 'POST',
      headers: { 'idempotency-key': 'the-first' },
      body: JSON.stringify({
        customer: { email: 'ada@example.com', name: 'Ada Lovelace' },
        shippingAddress: { line1: '12 St James Square', city: 'London', postalCode: 'SW1Y 4JH', country: 'GB' },
        items: [{ sku: 'TEA-EARL-GREY', quantity: 1 }],
        payment: { method: 'pm_card_visa' },
      }),
    });
    expect(placed).toMatchObject({ status: 202, body: { status: 'accepted' } });
    expect(await filesForOthers()).toEqual([]);
    const orphans = await children();
    expect(orphans).toHaveLength(4);
    first.stack.kill('SIGKILL');
    await first.ended;
    for (const file of ['temporal.db', 'temporal.db-wal', 'inbox.jsonl', 'logs/api.log']) await chmod(join(home, file), 0o644);

    const second = npmStart();
    await second.shown('Place an order');
    expect(second.printed.join('\n')).toMatch(/Ended processes that the last run left behind: .*postgres/);
    expect(await Promise.all(orphans.map(isRunning))).toEqual([false, false, false, false]);
    expect(await filesForOthers()).toEqual([]);
    expect(await call('/v1/orders')).toMatchObject({
      status: 200,
      body: { data: [{ customer: { name: 'Ada Lovelace' } }] },
    });

    const running = await children();
    second.stack.kill('SIGINT');
    expect(await second.ended).toEqual([0, null]);
    expect(second.printed.at(-1)).toBe('Stopped.');
    expect(await Promise.all(running.map(isRunning))).toEqual([false, false, false, false]);
    await expect(readFile(join(home, 'stack.json'))).rejects.toThrow(/ENOENT/);
  });

  it('stops cleanly while it is still starting', async () => {
    const { stack, printed, shown, ended } = npmStart();
    await shown('PostgreSQL');
    stack.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    expect(printed.at(-1)).toBe('Stopped.');
    await expect(readFile(join(home, 'stack.json'))).rejects.toThrow(/ENOENT/);
  });
});
