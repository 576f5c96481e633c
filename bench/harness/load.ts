import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { projectRoot } from '../../src/sandbox/project.ts';
import type { Side } from './side.ts';

export const loadOptionsSchema = z.object({
  url: z.string(),
  path: z.enum(['/v1/orders', '/v1/signups']),
  key: z.string(),
  /** How many requests. */
  count: z.int(),
  clients: z.int(),
  /** Requests per second, sent whether or not earlier ones are answered. Without it, each client sends when it has its answer. */
  rate: z.number().optional(),
});

/** What came of a load. Times are in ms, from the request to the whole answer. */
export const loadResultSchema = z.object({
  accepted: z.number(),
  /** How many answers were something else, by status; 0 for none at all. */
  refused: z.record(z.string(), z.number()),
  seconds: z.number(),
  p50: z.number(),
  p99: z.number(),
  /** Of each request. */
  times: z.array(z.number()),
  /** Seconds of CPU that the clients used themselves. */
  cpu: z.number(),
});
export type LoadResult = z.infer<typeof loadResultSchema>;

/** @returns the time that so much of some sorted times does not exceed. @param share between 0 and 1 */
export const percentile = (sorted: ArrayLike<number>, share: number): number => sorted[Math.ceil(sorted.length * share) - 1] ?? 0;

/** `key`: by default that of the side's customer. */
export type Load = Omit<z.input<typeof loadOptionsSchema>, 'url' | 'key'> & { key?: string };

export interface LoadGenerator {
  /** Sends requests to a side. @throws Error if one is refused: its figures would mean nothing */
  send: (side: Side, load: Load) => Promise<LoadResult>;
  stop: () => Promise<void>;
}

/**
 * Starts the clients, in a process of their own. It serves all sides of a measure: its code is compiled once, and no side
 * pays for that.
 */
export function startLoadGenerator(): LoadGenerator {
  const child = spawn(process.execPath, ['--import', 'tsx', 'bench/harness/load-generator.ts'], { cwd: projectRoot, stdio: 'pipe' });
  const errors: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
  const exited = once(child, 'exit').then(() => {
    throw new Error(`The load generator ended:\n${errors.join('')}`);
  });
  exited.catch(() => {});
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    async send(side, load) {
      child.stdin.write(`${JSON.stringify({ url: side.url, key: side.keys.customerKey, ...load })}\n`);
      const { value } = await Promise.race([answers.next(), exited]);
      const result = loadResultSchema.parse(JSON.parse(String(value)));
      if (result.accepted < load.count) throw new Error(`${side.name} refused ${load.path}: ${JSON.stringify(result.refused)}`);
      return result;
    },
    async stop() {
      kill();
      await exited.catch(() => {});
      process.removeListener('exit', kill);
    },
  };
}
