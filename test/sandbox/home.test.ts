import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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

/** Another process that claims the folder when it is asked to. `ask` returns its answer. */
async function startClaimant() {
  const child = fork(fileURLToPath(new URL('claimant.ts', import.meta.url)), [home], { execArgv: ['--import', 'tsx'] });
  started.push(child);
  const answer = async () => String((await once(child, 'message'))[0]);
  await answer();
  return {
    child,
    ask: (order: 'claim' | 'release' | 'spawn') => {
      child.send(order);
      return answer();
    },
  };
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

  it('is for its owner only, also one that others could read before', async () => {
    await chmod(home, 0o755);
    await (await claimHome(home)).release();
    // As root, PostgreSQL's user has to pass through it.
    expect((await stat(home)).mode & 0o777).toBe(process.getuid?.() === 0 ? 0o711 : 0o700);
  });

  it('keeps its rights if it is for everybody, such as /tmp', async () => {
    await chmod(home, 0o1777);
    await (await claimHome(home)).release();
    expect((await stat(home)).mode & 0o7777).toBe(0o1777);
  });

  it('goes to exactly one of several processes that start at once, again and again', async () => {
    const claimants = await Promise.all(Array.from({ length: 6 }, startClaimant));
    const ended = await endedProcess();
    for (let round = 0; round < 20; round += 1) {
      await leaveClaim(ended, []);
      const answers = await Promise.all(claimants.map(({ ask }) => ask('claim')));
      expect(answers.filter((answer) => answer === 'claimed')).toHaveLength(1);
      await claimants[answers.indexOf('claimed')]?.ask('release');
    }
  });

  it('stays with a frozen process, and is taken over once that is killed, even if its child runs on', async () => {
    const { child, ask } = await startClaimant();
    expect(await ask('claim')).toBe('claimed');
    const orphan = await identify(Number(await ask('spawn')));
    child.kill('SIGSTOP');
    await expect(claimHome(home)).rejects.toThrow(`process ${child.pid}`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(orphan && (await isRunning(orphan))).toBe(true);

    const claim = await claimHome(home);
    expect(claim.endedOrphans).toEqual(['orphan']);
    expect(orphan && (await isRunning(orphan))).toBe(false);
    await claim.release();
  });

  it('stays with a running stack that holds no lock, such as one of an earlier version', async () => {
    const owner = await idleProcess();
    await leaveClaim(owner, []);
    await expect(claimHome(home)).rejects.toThrow(`process ${owner.pid}`);
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
