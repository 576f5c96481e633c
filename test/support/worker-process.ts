import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A worker in a process of its own. */
export interface WorkerProcess {
  /** Ends it on the spot, as `kill -9` does, and resolves when it is gone. */
  kill(): Promise<void>;
  /** Has it end in good order. */
  stop(): Promise<void>;
}

/**
 * Starts `src/worker.ts` as `npm run worker` does, and waits until it is ready.
 * @param environment all that it gets, but for the PATH
 * @throws Error with what it said when it ends before that
 */
export async function startWorker(environment: Record<string, string>): Promise<WorkerProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/worker.ts'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const gone = once(child, 'exit');
  const onExit = () => child.kill('SIGKILL');
  process.once('exit', onExit);
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    child.kill(signal);
    await gone;
    process.removeListener('exit', onExit);
  };

  const said: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  const lines = createInterface(child.stdout);
  const ready = new Promise<true>((resolve) => {
    // Read to the end, or the worker would stop at a full pipe.
    lines.on('line', (line) => {
      if (said.push(line) > 200) said.shift();
      if (line.includes('"worker ready"')) resolve(true);
    });
  });
  const isReady = await Promise.race([ready, gone.then(() => false)]);
  if (!isReady) throw new Error(`The worker ended before it was ready:\n${said.join('\n')}`);
  return { kill: () => end('SIGKILL'), stop: () => end('SIGTERM') };
}
