import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { orderWorkflowId } from '../../src/contracts/ids.ts';
import { cpuSeconds } from './cpu.ts';
import { countHistory, type RunCost } from './history.ts';
import type { LoadGenerator } from './load.ts';
import type { Side } from './side.ts';

/** ms without progress after which a run of the bench fails. */
const STALLED = 120_000;

/** Seconds of CPU. */
export interface Cpu {
  worker: number;
  /** Absent where there is no Temporal. */
  temporal?: number | undefined;
}

/** @returns what the worker and Temporal have used so far */
const cpuOf = async (side: Side): Promise<Required<Cpu>> => ({
  worker: await cpuSeconds(side.pid('worker')),
  temporal: side.has('temporal') ? await cpuSeconds(side.pid('temporal')) : undefined,
});

/** The runs of the orders of a side, wherever they are. */
export interface Runs {
  countOpen: () => Promise<number>;
  /** @returns averages of some of its last ones; undefined where there are no histories */
  size: () => Promise<RunSize | undefined>;
}

export interface Drained {
  /** From the first request until the last order was completed, in seconds. */
  seconds: number;
  /** Until the last run had ended, too. */
  cpu: Cpu;
  /** Averages of some of its runs. */
  run?: RunSize | undefined;
}

export type RunSize = Pick<RunCost, 'events' | 'workflowTasks'>;

/** How many runs the averages are of. */
const SAMPLES = 20;

/** @returns the averages of the first runs of a list */
export async function sizeOf({ workflow }: Client, workflowIds: readonly string[]): Promise<RunSize> {
  const counts: RunCost[] = [];
  for (const id of workflowIds.slice(0, SAMPLES)) counts.push(countHistory(await workflow.getHandle(id).fetchHistory()));
  const average = (key: keyof RunSize) => counts.reduce((sum, one) => sum + one[key], 0) / counts.length;
  return { events: average('events'), workflowTasks: average('workflowTasks') };
}

/** @returns the ids of the runs of the orders that were completed last */
export async function lastCompleted({ sql }: Side): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from orders where status = 'completed' order by updated_at desc limit ${SAMPLES}`;
  return rows.map(({ id }) => orderWorkflowId(id));
}

/** @returns the runs of a side in its Temporal */
export const temporalRuns = (side: Side, client: Client): Runs => ({
  countOpen: async () => (await client.workflow.count("WorkflowType = 'order' and ExecutionStatus = 'Running'")).count,
  size: async () => sizeOf(client, await lastCompleted(side)),
});

/** @returns the runs of a side on DBOS */
export const dbosRuns = ({ sql }: Side): Runs => ({
  async countOpen() {
    const [row] = await sql<{ count: number }[]>`
      select count(*)::int from dbos.workflow_status where status in ('PENDING', 'ENQUEUED')`;
    return row?.count ?? 0;
  },
  size: () => Promise.resolve(undefined),
});

/** Sends orders as fast as they are accepted, and waits until all are completed and their runs have ended. */
export async function drain(side: Side, runs: Runs, generator: LoadGenerator, orders: number): Promise<Drained> {
  const completedBefore = await countCompleted(side);
  const before = await cpuOf(side);
  const started = performance.now();
  await generator.send(side, { path: '/v1/orders', count: orders, clients: 20 });
  await untilZero(`${side.name} completed no more orders`, async () => completedBefore + orders - (await countCompleted(side)));
  const seconds = (performance.now() - started) / 1_000;
  // The last email is sent after an order is completed.
  await untilZero(`${side.name} ended no more runs`, runs.countOpen);
  const after = await cpuOf(side);
  return {
    seconds,
    cpu: {
      worker: after.worker - before.worker,
      temporal: after.temporal === undefined ? undefined : after.temporal - (before.temporal ?? 0),
    },
    run: await runs.size(),
  };
}

export async function countCompleted({ sql }: Side): Promise<number> {
  const [row] = await sql<{ count: number }[]>`select count(*)::int from orders where status = 'completed'`;
  return row?.count ?? 0;
}

/** Looks until nothing is left. @param complaint the error if what is left stops changing */
export async function untilZero(complaint: string, left: () => Promise<number>): Promise<void> {
  for (let last = { count: Infinity, at: Date.now() }; ; await sleep(100)) {
    const count = await left();
    if (count <= 0) return;
    if (count !== last.count) last = { count, at: Date.now() };
    if (Date.now() - last.at > STALLED) throw new Error(`${complaint}: ${count} are left.`);
  }
}
