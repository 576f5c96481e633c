import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';
import { projectRoot } from '../../src/sandbox/project.ts';
import type { Side } from './side.ts';

const run = promisify(execFile);

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
  /** Seconds of CPU that the clients used themselves. */
  cpu: z.number(),
});
export type LoadResult = z.infer<typeof loadResultSchema>;

export type Load = Omit<z.input<typeof loadOptionsSchema>, 'url' | 'key'>;

/** Sends requests to a side from a process of its own. @throws Error if one is refused: its figures would mean nothing */
export async function sendLoad(side: Side, load: Load): Promise<LoadResult> {
  const options = JSON.stringify({ url: side.url, key: side.keys.customerKey, ...load });
  const program = ['--import', 'tsx', 'bench/harness/load-generator.ts', options];
  const { stdout } = await run(process.execPath, program, { cwd: projectRoot });
  const result = loadResultSchema.parse(JSON.parse(stdout));
  if (result.accepted < load.count) throw new Error(`${side.name} refused ${load.path}: ${JSON.stringify(result.refused)}`);
  return result;
}
