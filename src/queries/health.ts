import type { Client } from '@temporalio/client';
import { desc, gt, sql } from 'drizzle-orm';
import { SERVICES, type Service, type ServiceState, type WorkerState } from '../contracts/health.ts';
import type { QueueName } from '../contracts/names.ts';
import type { Database } from '../db/client.ts';
import { isRecent } from '../db/liveness.ts';
import { serviceProbes, workers } from '../db/schema.ts';
import { askTemporal, type TemporalAnswer } from '../temporal/availability.ts';
import { readQueues, type QueueState } from '../temporal/queues.ts';

/** How an outside service has answered the probes of the workers. */
export interface ServiceHealth {
  service: Service;
  state: ServiceState;
  /** Since when it has answered every probe; null while it does not. */
  answeringSince: Date | null;
  lastSuccessAt: Date | null;
  lastFailureAt: Date | null;
  /** What the last failed probe found. */
  lastError: string | null;
}

/** A worker process. */
export interface WorkerHealth {
  identity: string;
  host: string;
  version: string;
  queues: QueueName[];
  /** Those of its queues that it polls; null while Temporal is away. */
  polling: QueueName[] | null;
  startedAt: Date;
  lastSeenAt: Date;
  state: WorkerState;
}

/** The parts outside of Postgres, as they are. */
export interface Health {
  services: ServiceHealth[];
  workers: WorkerHealth[];
  queues: TemporalAnswer<QueueState[]>;
}

/** When something is looked at: so many ms after now. For tests, which do not wait. */
interface Moment {
  later?: number;
}

/** Workers listed at most. One that was killed is listed for an hour. */
const MOST_WORKERS = 100;

/** @returns how the outside services, the workers and the task queues are */
export async function readHealth(
  { db, temporal }: { db: Database; temporal: Client },
  { later = 0 }: Moment = {},
): Promise<Health> {
  const [services, known, queues] = await Promise.all([
    readServices(db, { later }),
    readWorkers(db, { later }),
    askTemporal(temporal, () => readQueues(temporal, Date.now() + later)),
  ]);
  return { services, workers: known.map((worker) => withPolling(worker, queues.answer)), queues };
}

/** @returns how each outside service is, by its last probes */
export async function readServices(db: Database, { later = 0 }: Moment = {}): Promise<ServiceHealth[]> {
  const { service, answeringSince, lastSuccessAt, lastFailureAt, lastError } = serviceProbes;
  const rows = await db
    .select({
      service,
      answeringSince,
      lastSuccessAt,
      lastFailureAt,
      lastError,
      isProbed: sql<boolean>`coalesce(${isRecent(sql`greatest(${lastSuccessAt}, ${lastFailureAt})`, later)}, false)`,
    })
    .from(serviceProbes);
  return SERVICES.map((name) => {
    const row = rows.find((one) => one.service === name);
    if (!row) return { service: name, state: 'not_checked', answeringSince: null, lastSuccessAt: null, lastFailureAt: null, lastError: null };
    const { isProbed, ...probed } = row;
    const state = row.answeringSince === null ? 'failing' : 'ok';
    return { ...probed, state: isProbed ? state : 'not_checked' };
  });
}

type KnownWorker = Omit<WorkerHealth, 'polling' | 'state'> & { isAlive: boolean };

/** The last seen first. */
async function readWorkers(db: Database, { later = 0 }: Moment): Promise<KnownWorker[]> {
  const { identity, host, version, queues, startedAt, lastSeenAt } = workers;
  return await db
    .select({ identity, host, version, queues, startedAt, lastSeenAt, isAlive: sql<boolean>`${isRecent(lastSeenAt, later)}` })
    .from(workers)
    .where(gt(lastSeenAt, sql`now() - interval '1 hour'`))
    .orderBy(desc(lastSeenAt))
    .limit(MOST_WORKERS);
}

function withPolling({ isAlive, ...worker }: KnownWorker, states: QueueState[] | null): WorkerHealth {
  const polling = states && worker.queues.filter((name) => isPolledBy(worker.identity, states.find(({ queue }) => queue === name)));
  return { ...worker, polling, state: isAlive ? stateOf(worker, polling) : 'gone' };
}

const isPolledBy = (identity: string, state: QueueState | undefined): boolean => state?.polledBy.includes(identity) ?? false;

function stateOf({ queues }: Pick<WorkerHealth, 'queues'>, polling: QueueName[] | null): WorkerState {
  if (polling === null) return 'not_checked';
  return polling.length === queues.length ? 'ok' : 'not_polling';
}
