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

/** This process's exclusive claim to a data folder, with the list of the processes it started. */
export interface HomeClaim {
  /** Names of the processes that a killed stack left running and that this claim ended. */
  readonly endedOrphans: readonly string[];
  /** Records a child, so that the next start can end it if this process is killed. Replaces an entry of the same name. */
  record(child: RecordedChild): Promise<void>;
  /** Removes a child that has ended. */
  forget(name: string): Promise<void>;
  /** Frees the folder for another stack. */
  release(): Promise<void>;
}

/**
 * Claims a data folder for this process, so that two stacks never write to the same one. Takes over the folder of a killed
 * stack: first ends the processes that it left running, in reverse order of their start.
 * @throws SetupError if a running stack uses the folder
 */
export async function claimHome(home: string): Promise<HomeClaim> {
  await mkdir(home, { recursive: true, mode: 0o755 });
  const path = join(home, 'stack.json');
  const owner = await identify(process.pid);
  if (owner === undefined) throw new SetupError('Cannot read the start time of this process; is /proc mounted?');

  const orphans = await takeOver(path, owner, home);
  const children = new Map<string, RecordedChild>();
  // One write at a time, each to a new file: after a crash, the last complete list is still there.
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
          `A stack is already running in ${home} (process ${stale.owner.pid}). Stop it, or set another HOLDFAST_HOME and other ports.`,
        );
      }
      // If two stacks start at once, `link` lets only one of them in. The other may by then be about to remove what it
      // takes for the stale claim, so it moves the file to a unique name first and checks whose claim it has moved.
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
    // Missing, or cut short by a crash of the machine: no process of it can still be running.
    return undefined;
  }
}

async function replaceFile(path: string, content: unknown) {
  const temporary = `${path}.new`;
  await writeFile(temporary, JSON.stringify(content), { mode: 0o600 });
  await rename(temporary, path);
}
