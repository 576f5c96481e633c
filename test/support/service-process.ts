import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { inject } from 'vitest';
import { API_FLAGS, WORKER_FLAGS } from '../../src/sandbox/parts.ts';
import { startProgram } from './command.ts';

/** A worker or an API in its own process. */
export interface ServiceProcess {
  readonly pid: number;
  /** Ends it at once, as `kill -9` does, and resolves when it is gone. */
  kill(): Promise<void>;
  /** Shuts it down. @returns its exit code, once it is gone; null if a signal ended it */
  stop(): Promise<number | null>;
}

/**
 * Starts `src/worker.ts`, as `npm run worker` does, and waits until it is ready.
 * @param environment its whole environment, apart from PATH and the bundled workflows
 * @param onOutput is given everything that it prints
 * @throws Error with its output, if it ends before it is ready
 */
export const startWorker = (environment: Record<string, string>, onOutput?: OnOutput): Promise<ServiceProcess> =>
  startService(
    'src/worker.ts',
    '"worker ready"',
    { WORKFLOW_BUNDLE: inject('workflowBundlePath'), ...environment },
    WORKER_FLAGS,
    onOutput,
  );

/**
 * Starts `src/api/main.ts`, as `npm run api` does, and waits until it listens.
 * @param environment its whole environment, apart from PATH
 * @param onOutput is given everything that it prints
 * @throws Error with its output, if it ends before it listens
 */
export const startApiProcess = (environment: Record<string, string>, onOutput?: OnOutput): Promise<ServiceProcess> =>
  startService('src/api/main.ts', '"listening"', environment, API_FLAGS, onOutput);

type OnOutput = (text: string) => void;

/** @param readyText what the line says that it prints when it is ready */
async function startService(
  entry: string,
  readyText: string,
  environment: Record<string, string>,
  flags: string[],
  onOutput: OnOutput = () => {},
): Promise<ServiceProcess> {
  const child = startProgram(entry, [], environment, flags);
  const exited = once(child, 'exit');
  const onExit = () => child.kill('SIGKILL');
  process.once('exit', onExit);
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    child.kill(signal);
    await exited;
    process.removeListener('exit', onExit);
    return child.exitCode;
  };

  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => onOutput(chunk.toString()));
  const output: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  const lines = createInterface(child.stdout);
  const ready = new Promise<true>((resolve) => {
    // Keep reading: a full pipe would stop the process.
    lines.on('line', (line) => {
      if (output.push(line) > 200) output.shift();
      if (line.includes(readyText)) resolve(true);
    });
  });
  const isReady = await Promise.race([ready, exited.then(() => false)]);
  if (!isReady || child.pid === undefined) throw new Error(`${entry} ended before it was ready:\n${output.join('\n')}`);
  return {
    pid: child.pid,
    kill: async () => {
      await end('SIGKILL');
    },
    stop: () => end('SIGTERM'),
  };
}
