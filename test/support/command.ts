import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Starts a program of this project in its own process, without a terminal.
 * @param entry e.g. `src/worker.ts`
 * @param environment its whole environment, apart from PATH
 * @param flags for Node
 */
export const startProgram = (entry: string, args: string[], environment: Record<string, string>, flags: string[] = []) =>
  spawn(process.execPath, ['--import', 'tsx', ...flags, entry, ...args], {
    cwd: PROJECT,
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

/** ms for a test that runs commands. Each is a process of its own, which takes seconds to start on a busy machine. */
export const TIME_FOR_COMMANDS = 300_000;

/** How a command ended, and what it printed. */
export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end, with the parameters of `startProgram`. */
export function runCommand(...program: Parameters<typeof startProgram>): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = startProgram(...program);
    const output = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        output[stream] += text;
      });
    }
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...output }));
  });
}
