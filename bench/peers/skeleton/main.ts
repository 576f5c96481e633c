// Runs skeletons of orders on a Temporal server: what an order costs Temporal and its SDK when every step is empty. Prints how
// long they took, and the CPU of this process and of Temporal, in seconds.
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { activityInfo } from '@temporalio/activity';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { z } from 'zod';
import { cpuSeconds } from '../../harness/cpu.ts';
import { sizeOf } from '../../harness/drain.ts';
import { scriptSchema } from './script.ts';
import { news, skeleton } from './workflows.ts';

const options = z
  .object({ address: z.string(), temporalPid: z.int(), count: z.int(), script: scriptSchema })
  .parse(JSON.parse(process.argv[2] ?? ''));

Runtime.install({ logger: new DefaultLogger('ERROR') });
const taskQueue = 'skeleton';
const connection = await NativeConnection.connect({ address: options.address });
const client = new Client({ connection });

const activities = {
  async nothing(): Promise<void> {},
  /** Sends signals to its run, one after the other, as the carrier's news arrives: once it has returned. */
  async send(signals: number): Promise<void> {
    const { workflowExecution } = activityInfo();
    if (!workflowExecution) return;
    const handle = client.workflow.getHandle(workflowExecution.workflowId);
    void (async () => {
      await sleep(1);
      for (let sent = 0; sent < signals; sent += 1) await handle.signal(news);
    })();
  },
};
export type SkeletonActivities = typeof activities;

const worker = await Worker.create({
  connection,
  taskQueue,
  activities,
  workflowsPath: fileURLToPath(new URL('workflows.ts', import.meta.url)),
});
await worker.runUntil(async () => {
  // The first ones compile the code.
  await run(Math.min(options.count, 20), 'warm-up');
  const before = await readCpu();
  const started = performance.now();
  const ids = await run(options.count, 'measured');
  const seconds = (performance.now() - started) / 1_000;
  const after = await readCpu();
  const cpu = { worker: after.worker - before.worker, temporal: after.temporal - before.temporal };
  console.log(JSON.stringify({ seconds, cpu, run: await sizeOf(client, ids) }));
});
process.exit();

async function readCpu(): Promise<{ worker: number; temporal: number }> {
  return { worker: await cpuSeconds(process.pid), temporal: await cpuSeconds(options.temporalPid) };
}

/** Starts so many, 20 at a time, as the orders are sent, and waits for all. @returns their ids */
async function run(count: number, name: string): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, index) => `skeleton/${name}/${process.pid}/${index}`);
  let next = 0;
  const results: Promise<void>[] = [];
  const startAll = async () => {
    for (let workflowId = ids[next++]; workflowId !== undefined; workflowId = ids[next++]) {
      results.push((await client.workflow.start(skeleton, { workflowId, taskQueue, args: [options.script] })).result());
    }
  };
  await Promise.all(Array.from({ length: 20 }, startAll));
  await Promise.all(results);
  return ids;
}
