import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimHome } from '../../src/sandbox/home.ts';
import { identify, isRunning, type ProcessIdentity } from '../../src/sandbox/process-identity.ts';

let home: string;
const started: ChildProcess[] = [];
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'holdfast-home-'));
});
afterEach(async () => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  await rm(home, { recursive: true });
});

async function idleProcess(): Promise<ProcessIdentity> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  started.push(child);
  await once(child, 'spawn');
  const identity = await identify(child.pid ?? 0);
  if (identity === undefined) throw new Error('The process has ended.');
  return identity;
}

/** The identity of a process that has ended. */
async function endedProcess(): Promise<ProcessIdentity> {
  const identity = await idleProcess();
  const child = started.pop();
  child?.kill('SIGKILL');
  if (child) await once(child, 'exit');
  return identity;
}

async function leaveClaim(owner: ProcessIdentity, children: { name: string; identity: ProcessIdentity }[]) {
  const content = { owner, children: children.map((child) => ({ ...child, stopSignal: 'SIGTERM' })) };
  await writeFile(join(home, 'stack.json'), JSON.stringify(content));
}

describe('a data folder', () => {
  it('belongs to one stack at a time', async () => {
    const claim = await claimHome(home);
    await expect(claimHome(home)).rejects.toThrow(`process ${process.pid}`);
    await claim.release();
    await (await claimHome(home)).release();
  });

  it('goes to exactly one of several stacks that start at once', async () => {
    await leaveClaim(await endedProcess(), []);
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => claimHome(home)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('is taken over from a killed stack, and the processes of that stack are ended', async () => {
    const orphan = await idleProcess();
    await leaveClaim(await endedProcess(), [{ name: 'postgres', identity: orphan }]);
    const claim = await claimHome(home);
    expect(claim.endedOrphans).toEqual(['postgres']);
    expect(await isRunning(orphan)).toBe(false);
    await claim.release();
  });

  it('is taken over without ending a process that merely reuses a pid', async () => {
    const innocent = await idleProcess();
    await leaveClaim(await endedProcess(), [
      { name: 'postgres', identity: { ...innocent, startedAt: 'at another time' } },
    ]);
    const claim = await claimHome(home);
    expect(claim.endedOrphans).toEqual([]);
    expect(await isRunning(innocent)).toBe(true);
    await claim.release();
  });

  it('is taken over if a crash left an incomplete claim', async () => {
    await writeFile(join(home, 'stack.json'), '{"owner":{"pi');
    const claim = await claimHome(home);
    expect(claim.endedOrphans).toEqual([]);
    await claim.release();
  });

  it('lists the running processes until they end', async () => {
    const claim = await claimHome(home);
    const identity = await idleProcess();
    await claim.record({ name: 'worker', stopSignal: 'SIGTERM', identity });
    expect(await readFile(join(home, 'stack.json'), 'utf8')).toContain('worker');
    await claim.forget('worker');
    expect(await readFile(join(home, 'stack.json'), 'utf8')).not.toContain('worker');
    await claim.release();
  });
});
