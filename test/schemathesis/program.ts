import { execFile, spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cacheFolder, intoCache } from '../../src/sandbox/cache.ts';

const run = promisify(execFile);
const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url));

/**
 * Installs Schemathesis with pip, unless the cache has it.
 * @returns the folder with its packages, for `PYTHONPATH`
 */
export async function installSchemathesis(): Promise<string> {
  const packages = join(cacheFolder(), `schemathesis-${hash('sha256', readFileSync(REQUIREMENTS)).slice(0, 12)}`);
  if (existsSync(packages)) return packages;
  console.log('Installing Schemathesis (pip) …');
  await intoCache(packages, async (folder) => {
    const target = join(folder, 'packages');
    const options = ['--quiet', '--disable-pip-version-check', '--only-binary=:all:', `--target=${target}`];
    await run('python3', ['-m', 'pip', 'install', ...options, `--requirement=${REQUIREMENTS}`]);
    return target;
  });
  return packages;
}

/** A run of Schemathesis with the API key of one role. */
export interface SchemathesisRun {
  /** What {@link installSchemathesis} returned. */
  packages: string;
  /** Address of the API. */
  url: string;
  key: string;
  /** How many generated requests for each operation, at most. Those of the coverage phase come on top. */
  examples: number;
  seed: number;
  /** Gets each line that it prints. */
  tell: (line: string) => void;
}

/** @returns whether it found nothing */
export async function runSchemathesis({ packages, url, key, examples, seed, tell }: SchemathesisRun): Promise<boolean> {
  const options = [`--max-examples=${examples}`, `--seed=${seed}`, '--no-color'];
  const child = spawn('python3', ['-m', 'schemathesis.cli', 'run', `${url}/openapi.json`, ...options], {
    // It finds schemathesis.toml there.
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    env: {
      PATH: process.env['PATH'],
      PYTHONPATH: packages,
      PYTHONDONTWRITEBYTECODE: '1',
      HYPOTHESIS_STORAGE_DIRECTORY: join(packages, '.hypothesis'),
      HOLDFAST_KEY: key,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  process.once('exit', () => child.kill());
  for (const stream of [child.stdout, child.stderr]) createInterface(stream).on('line', (line) => tell(line.replaceAll(key, '<key>')));
  const [code] = await once(child, 'close');
  return code === 0;
}
