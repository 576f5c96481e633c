import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { inArray } from 'drizzle-orm';
import { Client, Connection } from '@temporalio/client';
import { FINAL_ORDER_STATUSES } from '../../../src/contracts/statuses.ts';
import { connectDatabase, type Database } from '../../../src/db/client.ts';
import { commands, orders, sagaSteps } from '../../../src/db/schema.ts';
import { dataConverter } from '../../support/payloads.ts';
import { createTemporaryFolder } from '../../support/temporary-folder.ts';
import { stockTotals } from '../../support/audit.ts';
import { DRAIN_FAILED } from './options.ts';
import { createPeople, planCustomers, type PlacedOrder } from './load.ts';
import { startProcesses, type Processes, type Site } from './processes.ts';
import { Random } from './random.ts';
import { planStorm, SIMULATORS, type Aim, type ProcessFault, type Schedule } from './schedule.ts';

export interface StormOptions {
  /** How many customers order during the storm. Ten more order after it. */
  orders: number;
  seed: number;
  aim?: Aim;
  /** Share of the parked orders that operators cancel; the others are retried. */
  cancelledWhenParked?: number;
}

/** What a storm has left behind, once everything is at rest. */
export interface Aftermath {
  site: Site;
  db: Database;
  temporal: Client;
  stockBefore: Record<string, number>;
  schedule: Schedule;
  /** Every order that was answered 202: those of the storm, and the ten after it. */
  duringStorm: PlacedOrder[];
  afterStorm: PlacedOrder[];
  /** Orders that an operator cancelled when they were parked. */
  cancelledWhenParked: ReadonlySet<string>;
  /** Orders with a compensation that an operator settled by hand, because the parcel had left. */
  settled: ReadonlySet<string>;
  retries: number;
  /** ms */
  took: { start: number; storm: number; drain: number };
  close: () => Promise<void>;
}

const LATE_ORDERS = 10;
/** Orders for each fault of a process: on two cores, about two orders a second. */
const ORDERS_PER_FAULT = 8;
/** @returns ms for everything to come to rest. Payments wait up to two minutes between two attempts. */
const drainWithin = (orderCount: number): number => 240_000 + orderCount * 300;

/**
 * Starts every part of the shop, lets customers order while processes die and freeze and services fail, heals everything,
 * and waits until nothing moves any more.
 * @param bundle path of the bundled workflow code
 * @param tell prints a line
 * @throws Error that names what is still moving, if it does not come to rest in time
 */
export async function runStorm(options: StormOptions, bundle: string, tell: (line: string) => void): Promise<Aftermath> {
  const { orders: count, seed, aim, cancelledWhenParked: share = 0.2 } = options;
  const began = performance.now();
  const schedule = planStorm(seed, Math.max(14, Math.round(count / ORDERS_PER_FAULT)), aim);
  const customers = planCustomers(seed, count, schedule.lasts * 0.8);
  tell(`storm: seed ${seed}, ${count} orders, ${schedule.processes.length} faults of processes in ${seconds(schedule.lasts)}`);

  const folder = await createTemporaryFolder();
  const processes = await startProcesses(folder.path, bundle);
  const { site } = processes;
  const { db, close: closeDatabase } = connectDatabase(site.databaseUrl, { max: 4, name: 'storm' });
  const connection = Connection.lazy({ address: site.temporalAddress });
  const stop = new AbortController();
  // One for each request.
  setMaxListeners(0, stop.signal);
  const close = async () => {
    stop.abort();
    await connection.close();
    await closeDatabase();
    await processes.stop();
    await folder.remove();
  };
  try {
    const stockBefore = await stockTotals(db);
    const started = performance.now();

    const people = createPeople(site, stop.signal);
    const living = Promise.all(customers.map((customer) => people.live(customer)));
    living.catch(() => stop.abort());
    await Promise.all([...schedule.processes.map((fault) => strike(processes, fault, tell)), blow(site, schedule, stop.signal)]);
    await processes.allServe();
    const duringStorm = await living;
    const calm = performance.now();
    tell(`storm: everything heals after ${seconds(calm - started)}`);

    const afterStorm = await Promise.all(
      Array.from({ length: LATE_ORDERS }, (_, index) =>
        people.placeOrder({ email: `late-${index}@example.com`, wish: 'pays and waits', isImpatient: false }),
      ),
    );
    const cancelledWhenParked = new Set<string>();
    const settled = new Set<string>();
    let retries = 0;
    const random = new Random(seed + 2);
    const doomed = new Set(duringStorm.filter(() => random.chance(share)).map(({ orderId }) => orderId));
    const all = [...duringStorm, ...afterStorm];
    const within = drainWithin(count);
    for (const deadline = Date.now() + within; ; await sleep(1_000)) {
      const done = await people.operate((orderId) => doomed.has(orderId));
      retries += done.retried;
      for (const id of done.cancelled) cancelledWhenParked.add(id);
      for (const id of done.settled) settled.add(id);
      const moving = await findMoving(db, all);
      if (moving.length === 0) break;
      if (Date.now() > deadline) throw new Error(`${DRAIN_FAILED} ${seconds(within)}:\n${moving.join('\n')}`);
    }
    return {
      site,
      db,
      temporal: new Client({ connection, dataConverter }),
      stockBefore,
      schedule,
      duringStorm,
      afterStorm,
      cancelledWhenParked,
      settled,
      retries,
      took: { start: started - began, storm: calm - started, drain: performance.now() - calm },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(0)} s`;

async function strike(processes: Processes, fault: ProcessFault, tell: (line: string) => void): Promise<void> {
  await sleep(fault.at);
  const { process } = fault;
  switch (fault.action) {
    case 'kill':
      tell(`  ${seconds(fault.at).padStart(5)}  kill    ${process}`);
      return await processes.kill(process);
    case 'freeze':
      tell(`  ${seconds(fault.at).padStart(5)}  freeze  ${process} for ${seconds(fault.forMs)}`);
      return await processes.freeze(process, fault.forMs);
  }
}

/** Gives the simulators their faults, and ends them all at the end. */
async function blow({ simulators }: Site, schedule: Schedule, signal: AbortSignal): Promise<void> {
  const started = Date.now();
  const put = (url: string, init: RequestInit) =>
    // A simulator that is away gets its next fault later.
    fetch(`${url}/_sandbox/faults`, { ...init, signal: AbortSignal.any([signal, AbortSignal.timeout(2_000)]) }).then(
      ({ ok }) => ok,
      () => false,
    );
  for (const { at, simulator, fault } of schedule.simulators) {
    await sleep(Math.max(0, started + at - Date.now()), undefined, { signal });
    await put(simulators[simulator].url, { method: 'PUT', body: JSON.stringify(fault) });
  }
  await sleep(Math.max(0, started + schedule.lasts - Date.now()), undefined, { signal });
  for (const name of SIMULATORS) while (!(await put(simulators[name].url, { method: 'DELETE' }))) await sleep(200);
}

/** @returns the orders that have not ended with their steps, and the commands that are not delivered, as lines for people */
async function findMoving(db: Database, placed: readonly PlacedOrder[]): Promise<string[]> {
  const ids = placed.map(({ orderId }) => orderId);
  const rows = await db.select({ id: orders.id, status: orders.status }).from(orders).where(inArray(orders.id, ids));
  const moving = rows.filter(({ status }) => !FINAL_ORDER_STATUSES.includes(status));
  const steps = await db.select().from(sagaSteps).where(inArray(sagaSteps.orderId, moving.map(({ id }) => id)));
  const waiting = await db
    .select({ id: commands.id, workflow: commands.workflowId, state: commands.state, error: commands.lastError })
    .from(commands)
    .where(inArray(commands.state, ['pending', 'set_aside']));
  return [
    ...moving.map(({ id, status }) => `order ${id}: ${status}`),
    ...steps.map(({ orderId, kind, step, state, attempts, errorMessage }) =>
      `  order ${orderId}: ${kind} ${step} ${state} after ${attempts} attempts ${errorMessage ?? ''}`),
    ...waiting.map(({ id, workflow, state, error }) => `command ${id} to ${workflow}: ${state} ${error ?? ''}`),
  ];
}
