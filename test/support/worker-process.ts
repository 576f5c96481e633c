import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { inject } from 'vitest';
import { startProgram } from './command.ts';

/** A worker in its own process. */
export interface WorkerProcess {
  /** Ends it at once, as `kill -9` does, and resolves when it is gone. */
  kill(): Promise<void>;
  /** Shuts it down and resolves when it is gone. */
  stop(): Promise<void>;
}

/**
 * Starts `src/worker.ts`, as `npm run worker` does, and waits until it is ready.
 * @param environment its whole environment, apart from PATH and the bundled workflows
 * @throws Error with its output, if it ends before it is ready
 */
export async function startWorker(environment: Record<string, string>): Promise<WorkerProcess> {
  const child = startProgram('src/worker.ts', [], { WORKFLOW_BUNDLE: inject('workflowBundlePath'), ...environment });
  const exited = once(child, 'exit');
  const onExit = () => child.kill('SIGKILL');
  process.once('exit', onExit);
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    child.kill(signal);
    await exited;
    process.removeListener('exit', onExit);
  };

  const output: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  const lines = createInterface(child.stdout);
  const ready = new Promise<true>((resolve) => {
    // Keep reading: a full pipe would stop the worker.
    lines.on('line', (line) => {
      if (output.push(line) > 200) output.shift();
      if (line.includes('"worker ready"')) resolve(true);
    });
  });
  const isReady = await Promise.race([ready, exited.then(() => false)]);
  if (!isReady) throw new Error(`The worker ended before it was ready:\n${output.join('\n')}`);
  return { kill: () => end('SIGKILL'), stop: () => end('SIGTERM') };
}
