import { chmod, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tryLock } from 'fs-native-extensions';
import { z } from 'zod';
import { endProcess, identify, isRunning, processIdentity } from './process-identity.ts';
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
 * Claims a data folder for this process, so that two stacks never write to the same one, and keeps it from other users. Takes
 * over the folder of a killed stack: first ends the processes that it left running, in reverse order of their start.
 * @throws SetupError if a running stack uses the folder
 */
export async function claimHome(home: string): Promise<HomeClaim> {
  await makePrivateFolder(home);
  const owner = await identify(process.pid);
  if (owner === undefined) throw new SetupError('Cannot read the start time of this process; is /proc mounted?');
  const path = join(home, 'stack.json');

  // The claim is the lock: the system gives it to one process and frees it when that process dies, not while it is frozen.
  // Child processes do not inherit it. Never delete the file: two processes could then lock two files of this name.
  const lock = await open(join(home, 'stack.lock'), 'a', 0o600);
  try {
    const isLocked = tryLock(lock.fd);
    const previous = await readClaim(path);
    // A stack of a version that took no lock may be running, too.
    const isUsed = previous !== undefined && (await isRunning(previous.owner));
    if (!isLocked || isUsed) {
      const by = isUsed ? ` (process ${previous.owner.pid})` : '';
      throw new SetupError(
        `A stack is already running in ${home}${by}. Stop it, or set another HOLDFAST_HOME and other ports.`,
      );
    }

    const children = new Map(previous?.children.map((child) => [child.name, child]));
    // One write at a time, each to a new file: after a crash, the last complete list is still there.
    let writing = Promise.resolve();
    const save = () => (writing = writing.then(() => replaceFile(path, { owner, children: [...children.values()] })));
    await save();

    const endedOrphans: string[] = [];
    for (const { name, identity, stopSignal } of [...children.values()].toReversed()) {
      if (await isRunning(identity)) {
        await endProcess(identity, stopSignal, 15_000);
        endedOrphans.push(name);
      }
      children.delete(name);
    }
    await save();

    return {
      endedOrphans,
      record: (child) => (children.set(child.name, child), save()),
      forget: (name) => (children.delete(name), save()),
      release: async () => {
        await writing;
        await rm(path, { force: true });
        await lock.close();
      },
    };
  } catch (error) {
    await lock.close();
    throw error;
  }
}

/** For everybody's use, such as `/tmp`. */
const STICKY = 0o1000;

/** Creates the folder for this user only, or takes the rights of others from one that is this user's. */
async function makePrivateFolder(home: string) {
  const user = process.getuid?.();
  // PostgreSQL refuses to run as root. The user who runs it then has to pass through the folder, but cannot list it.
  const mode = user === 0 ? 0o711 : 0o700;
  await mkdir(home, { recursive: true, mode });
  const found = await stat(home);
  if (found.uid === user && (found.mode & STICKY) === 0) await chmod(home, mode);
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
