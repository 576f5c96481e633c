import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { answers, startChild, type Child, type Supervision } from '../../../src/sandbox/child.ts';
import { freePorts, localUrl } from '../../../src/sandbox/ports.ts';
import { API_FLAGS, WORKER_FLAGS } from '../../../src/sandbox/parts.ts';
import { startPostgres } from '../../../src/sandbox/postgres.ts';
import { prepareDatabase, workerIsPolling } from '../../../src/sandbox/prepare.ts';
import { identify } from '../../../src/sandbox/process-identity.ts';
import { projectRoot } from '../../../src/sandbox/project.ts';
import { loadSecrets, type Secrets } from '../../../src/sandbox/secrets.ts';
import { temporalBinary, temporalCli } from '../../../src/sandbox/temporal-binaries.ts';
import { startTemporalServer } from '../../../src/sandbox/temporal-server.ts';
import { PAYLOAD_KEYS } from '../../support/payloads.ts';
import { send, withDescendants } from '../../support/signals.ts';
import { SIMULATORS, type ProcessName, type SimulatorName } from './schedule.ts';

/** How long a killed or frozen process may take to serve again, in ms. */
const BACK_WITHIN = 90_000;

/** Each stops before what it uses. */
const STOP_ORDER: readonly (readonly ProcessName[])[] = [['api', 'worker-1', 'worker-2'], ['temporal', ...SIMULATORS], ['postgres']];

/** Where the processes of a storm are, and what they know. */
export interface Site {
  url: string;
  databaseUrl: string;
  temporalAddress: string;
  smtpUrl: string;
  secrets: Secrets;
  simulators: Record<SimulatorName, { url: string; file: string }>;
}

/** The processes of a storm. Each is restarted whenever it ends, as a supervisor does in production. */
export interface Processes {
  site: Site;
  pid: (name: ProcessName) => number;
  /** `kill -9`. Waits for the process first, if it is not running. */
  kill: (name: ProcessName) => Promise<void>;
  /** Stops a process, and what it has started, without ending it: `SIGSTOP`, and `SIGCONT` after `forMs`. */
  freeze: (name: ProcessName, forMs: number) => Promise<void>;
  /** Resolves once every process serves. @throws Error that names those that do not */
  allServe: () => Promise<void>;
  stop: () => Promise<void>;
}

/**
 * Starts every part of the shop in its own process, with its state in `folder`.
 * @param bundle path of the bundled workflow code
 */
export async function startProcesses(folder: string, bundle: string): Promise<Processes> {
  const ports = await freePorts(7);
  const [apiPort = 0, temporalPort = 0, postgresPort = 0, paymentsPort = 0, warehousePort = 0, smtpPort = 0, inboxPort = 0] = ports;
  const file = (name: string) => join(folder, name);
  const logFile = (name: string) => file(`${name}.log`);
  const secrets = await loadSecrets(folder);
  const url = localUrl(apiPort);
  const smtpUrl = `smtp://127.0.0.1:${smtpPort}`;
  const running = new Map<ProcessName, Child>();
  const away = new Set<string>();
  const supervision: Supervision = { onDied: (name) => away.add(name), onRestarted: (name) => away.delete(name) };
  const killAll = () => {
    for (const { pid } of running.values()) for (const each of withDescendants(pid)) send(each, 'SIGKILL');
  };
  process.once('exit', killAll);

  /** Starts a program of this project. */
  const program = async (
    name: ProcessName,
    args: string[],
    env: NodeJS.ProcessEnv,
    isReady: (signal: AbortSignal, pid: number) => Promise<boolean>,
  ) => {
    const spec = { command: process.execPath, args: ['--import', 'tsx', ...args], cwd: projectRoot, env: { PATH: process.env['PATH'], ...env } };
    const limits = { stopSignal: 'SIGTERM', stopGraceMs: 30_000, readyWithinMs: BACK_WITHIN } as const;
    running.set(name, await startChild({ name, ...spec, ...limits, logFile: logFile(name), isReady }, supervision));
  };
  const simulator = (name: SimulatorName, port: number, options: object) =>
    program(name, ['test/chaos/storm/simulator.ts', name, JSON.stringify(options)], {}, (signal) =>
      answers(localUrl(port, '/_sandbox/faults'), signal),
    );

  const [postgres, temporal] = await Promise.all([
    startPostgres({
      dataFolder: file('postgres'),
      port: postgresPort,
      password: secrets.databasePassword,
      logFile: logFile('postgres'),
      // A killed process loses nothing that it has handed to the system, so this is as durable here, and faster.
      settings: { fsync: 'off', max_connections: '300' },
      supervision,
    }),
    startTemporalServer({
      binary: await temporalBinary(temporalCli),
      port: temporalPort,
      databaseFile: file('temporal.db'),
      logFile: logFile('temporal'),
      supervision,
    }),
    simulator('payments', paymentsPort, {
      port: paymentsPort,
      ledgerFile: file('payments.jsonl'),
      secretKey: secrets.stripeSecretKey,
      webhook: { url: `${url}/v1/webhooks/stripe`, secret: secrets.stripeWebhookSecret },
      settleAfterMs: 2_000,
    }),
    simulator('warehouse', warehousePort, {
      port: warehousePort,
      ledgerFile: file('warehouse.jsonl'),
      apiKey: secrets.warehouseApiKey,
      webhook: { url: `${url}/v1/webhooks/warehouse`, secret: secrets.warehouseWebhookSecret },
      shipAfterMs: 4_000,
      deliverAfterMs: 1_000,
    }),
    simulator('inbox', inboxPort, { smtpPort, httpPort: inboxPort, file: file('inbox.jsonl') }),
  ]);
  running.set('postgres', postgres).set('temporal', temporal);
  await prepareDatabase(postgres.url, secrets);

  const common = { DATABASE_URL: postgres.url, TEMPORAL_ADDRESS: temporal.address, PAYLOAD_KEYS, PUBLIC_URL: url, LOG_LEVEL: 'info' };
  const workerEnvironment = {
    ...common,
    WORKFLOW_BUNDLE: bundle,
    SMTP_URL: smtpUrl,
    STRIPE_SECRET_KEY: secrets.stripeSecretKey,
    STRIPE_API_BASE: localUrl(paymentsPort),
    WAREHOUSE_URL: localUrl(warehousePort),
    WAREHOUSE_API_KEY: secrets.warehouseApiKey,
    // Short, so that every deadline passes during the storm.
    APPROVAL_THRESHOLD: String(APPROVAL_THRESHOLD),
    APPROVAL_DEADLINE: '40s',
    LATE_SHIPMENT_AFTER: '15s',
    LATE_SHIPMENT_EVERY: '30s',
    REVIEW_AFTER_DECLINES: 'off',
    EMAILS_PER_ADDRESS_AND_DAY: 'off',
  };
  const apiEnvironment = {
    ...common,
    API_PORT: String(apiPort),
    RATE_LIMIT: 'off',
    WAREHOUSE_WEBHOOK_SECRET: secrets.warehouseWebhookSecret,
    STRIPE_WEBHOOK_SECRET: secrets.stripeWebhookSecret,
  };
  const isPolling = workerIsPolling(workerEnvironment);
  await Promise.all([
    program('api', [...API_FLAGS, 'src/api/main.ts'], apiEnvironment, (signal) => answers(`${url}/livez`, signal)),
    ...(['worker-1', 'worker-2'] as const).map((name) =>
      program(name, [...WORKER_FLAGS, 'src/worker.ts'], workerEnvironment, (_signal, pid) => isPolling(pid)),
    ),
  ]);

  const child = (name: ProcessName): Child => {
    const found = running.get(name);
    if (!found) throw new Error(`${name} was never started.`);
    return found;
  };
  /** @returns the pid of a process that is alive, even if it does not serve yet */
  const alive = async (name: ProcessName): Promise<number> => {
    for (const deadline = Date.now() + BACK_WITHIN; Date.now() < deadline; await sleep(100)) {
      const { pid } = child(name);
      if (await identify(pid)) return pid;
    }
    throw new Error(`${name} did not come back.`);
  };

  return {
    site: {
      url,
      databaseUrl: postgres.url,
      temporalAddress: temporal.address,
      smtpUrl,
      secrets,
      simulators: {
        payments: { url: localUrl(paymentsPort), file: file('payments.jsonl') },
        warehouse: { url: localUrl(warehousePort), file: file('warehouse.jsonl') },
        inbox: { url: localUrl(inboxPort), file: file('inbox.jsonl') },
      },
    },
    pid: (name) => child(name).pid,
    async kill(name) {
      const pid = await alive(name);
      away.add(name);
      process.kill(pid, 'SIGKILL');
    },
    async freeze(name, forMs) {
      const frozen = withDescendants(await alive(name));
      for (const pid of frozen) send(pid, 'SIGSTOP');
      try {
        await sleep(forMs);
      } finally {
        for (const pid of frozen) send(pid, 'SIGCONT');
      }
    },
    async allServe() {
      for (const deadline = Date.now() + BACK_WITHIN; away.size > 0 && Date.now() < deadline; ) await sleep(100);
      if (away.size > 0) throw new Error(`These processes did not come back: ${[...away].join(', ')}.`);
    },
    async stop() {
      for (const group of STOP_ORDER) await Promise.all(group.map((name) => child(name).stop()));
      process.removeListener('exit', killAll);
    },
  };
}

/** Orders above this amount, in minor units, wait for an approval. */
export const APPROVAL_THRESHOLD = 9_000;
