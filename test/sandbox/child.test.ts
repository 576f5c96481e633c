import { EventEmitter, once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answers, startChild, type ChildSpec } from '../../src/sandbox/child.ts';
import { freePort } from '../../src/sandbox/ports.ts';
import { identify, isRunning, type ProcessIdentity } from '../../src/sandbox/process-identity.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-child-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A program that serves HTTP. @param onStop what it does when asked to stop */
async function server({
  onStop = 'process.exit(0)',
  ...rest
}: Partial<ChildSpec> & { onStop?: string } = {}): Promise<ChildSpec> {
  const port = await freePort();
  const program = `
    process.on('SIGTERM', () => { console.log('asked to stop'); ${onStop} });
    require('node:http').createServer((_, response) => response.end()).listen(${port}, '127.0.0.1');`;
  return {
    name: 'server',
    command: process.execPath,
    args: ['-e', program],
    logFile: join(folder, 'server.log'),
    stopSignal: 'SIGTERM',
    stopGraceMs: 20_000,
    isReady: (signal) => answers(`http://127.0.0.1:${port}`, signal),
    readyWithinMs: 20_000,
    ...rest,
  };
}

describe('a program of the stack', () => {
  it('is up once it serves, and stops when asked', async () => {
    const child = await startChild(await server());
    const { pid } = child;
    expect(await identify(pid)).toBeDefined();
    await child.stop();
    expect(await identify(pid)).toBeUndefined();
    expect(await readFile(join(folder, 'server.log'), 'utf8')).toContain('asked to stop');
  });

  it('is killed if it does not stop in time', async () => {
    const child = await startChild(await server({ onStop: '', stopGraceMs: 50 }));
    const { pid } = child;
    await child.stop();
    expect(await identify(pid)).toBeUndefined();
  });

  it('is restarted if it ends by itself', async () => {
    const events = new EventEmitter();
    const deaths: string[] = [];
    const child = await startChild(await server(), {
      onDied: (name, how, delayMs) => deaths.push(`${name} ${how}, restarting in ${delayMs} ms`),
      onRestarted: () => events.emit('back'),
    });
    const first = child.pid;
    const back = once(events, 'back');
    process.kill(first, 'SIGKILL');
    await back;
    expect(child.pid).not.toBe(first);
    expect(deaths).toEqual(['server was ended by SIGKILL, restarting in 500 ms']);
    await child.stop();
    expect(await identify(child.pid)).toBeUndefined();
  });

  it('fails to start with the end of its log in the error', async () => {
    const spec = await server({ args: ['-e', 'console.error("no such table"); process.exit(3)'] });
    await expect(startChild(spec)).rejects.toThrow(/server ended with code 3[^]*no such table/);
  });

  it('leaves nothing behind if it does not serve in time', async () => {
    const recorded: ProcessIdentity[] = [];
    const claim = {
      record: async ({ identity }: { identity: ProcessIdentity }) => void recorded.push(identity),
      forget: async () => {},
    };
    const spec = await server({ isReady: async () => false, readyWithinMs: 50 });
    await expect(startChild(spec, { claim })).rejects.toThrow(/did not serve/);
    expect(recorded).toHaveLength(1);
    expect(await Promise.all(recorded.map(isRunning))).toEqual([false]);
  });

  it('stops starting when the start is aborted', async () => {
    const giveUp = new AbortController();
    const spec = await server({ isReady: async () => (giveUp.abort(), false) });
    await expect(startChild(spec, { signal: giveUp.signal })).rejects.toThrow(/stopped/);
  });

  it('fails to start if the program does not exist', async () => {
    await expect(startChild(await server({ command: join(folder, 'nothing') }))).rejects.toThrow(/ENOENT/);
  });
});
