import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { endProcess, identify, isRunning, processIdentity, type ProcessIdentity } from './process-identity.ts';
import { SetupError } from './project.ts';

const recordedChild = z.object({
  name: z.string(),
  stopSignal: z.enum(['SIGTERM', 'SIGINT']),
  identity: processIdentity,
});
const claimFile = z.object({ owner: processIdentity, children: z.array(recordedChild) });

type RecordedChild = z.infer<typeof recordedChild>;

/** A data folder held by this process, and the list of what it started. */
export interface HomeClaim {
  /** What a killed predecessor had left running and this claim ended, by name. */
  readonly endedOrphans: readonly string[];
  /** Notes a child so that a later boot can find it should this process be killed. Replaces an entry of the same name. */
  record(child: RecordedChild): Promise<void>;
  /** Forgets a child that has ended. */
  forget(name: string): Promise<void>;
  /** Gives the folder free. */
  release(): Promise<void>;
}

/**
 * Takes a data folder for this process, so that never two stacks write to one. A folder left by a killed stack is taken
 * over: the processes it had started are ended first, last started first.
 * @throws SetupError when a running stack holds it
 */
export async function claimHome(home: string): Promise<HomeClaim> {
  await mkdir(home, { recursive: true, mode: 0o755 });
  const path = join(home, 'stack.json');
  const owner = await identify(process.pid);
  if (owner === undefined) throw new SetupError('Cannot read the start time of this process; is /proc mounted?');

  const orphans = await takeOver(path, owner, home);
  const children = new Map<string, RecordedChild>();
  // Writes go one after another, each whole: a reader after a crash finds the last complete list.
  let writing = Promise.resolve();
  const save = () => (writing = writing.then(() => replaceFile(path, { owner, children: [...children.values()] })));

  return {
    endedOrphans: orphans,
    record: (child) => (children.set(child.name, child), save()),
    forget: (name) => (children.delete(name), save()),
    release: async () => {
      await writing;
      await rm(path, { force: true });
    },
  };
}

async function takeOver(path: string, owner: ProcessIdentity, home: string): Promise<string[]> {
  const ours = `${path}.${randomUUID()}`;
  await writeFile(ours, JSON.stringify({ owner, children: [] }), { mode: 0o600 });
  try {
    const ended: string[] = [];
    while (!(await linked(ours, path))) {
      const stale = await readClaim(path);
      if (stale && (await isRunning(stale.owner))) {
        throw new SetupError(
          `A stack is running on ${home} already (process ${stale.owner.pid}). Stop it, or start this one with another HOLDFAST_HOME and other ports.`,
        );
      }
      // `link` lets only one of two simultaneous starts in; moving the stale claim away under a name of its own
      // and looking at what was moved keeps the other from removing the winner's.
      const aside = `${path}.${randomUUID()}`;
      await rename(path, aside).catch(() => undefined);
      const moved = await readClaim(aside);
      if (moved && (await isRunning(moved.owner))) {
        await linked(aside, path);
        await rm(aside, { force: true });
        continue;
      }
      for (const child of (moved?.children ?? []).toReversed()) {
        if (!(await isRunning(child.identity))) continue;
        await endProcess(child.identity, child.stopSignal, 15_000);
        ended.push(child.name);
      }
      await rm(aside, { force: true });
    }
    return ended;
  } finally {
    await rm(ours, { force: true });
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

async function readClaim(path: string) {
  try {
    return claimFile.safeParse(JSON.parse(await readFile(path, 'utf8'))).data;
  } catch {
    // Gone, or cut short by a crash of the machine: nothing of it can still run.
    return undefined;
  }
}

async function replaceFile(path: string, content: unknown) {
  const temporary = `${path}.new`;
  await writeFile(temporary, JSON.stringify(content), { mode: 0o600 });
  await rename(temporary, path);
}
