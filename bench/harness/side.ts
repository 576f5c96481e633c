import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { z } from 'zod';
import { startChild } from '../../src/sandbox/child.ts';
import { freePorts, localUrl } from '../../src/sandbox/ports.ts';
import { processIdentity } from '../../src/sandbox/process-identity.ts';
import { projectRoot } from '../../src/sandbox/project.ts';
import { loadSecrets, type Secrets } from '../../src/sandbox/secrets.ts';
import { send, withDescendants } from '../../test/support/signals.ts';

const run = promisify(execFile);

/** One of the systems that a measure compares: the product, an earlier commit of it, or a peer. */
export interface Side {
  name: string;
  /** Of its API. */
  url: string;
  /** A connection to its database, directly. */
  sql: postgres.Sql;
  temporalAddress: string;
  warehouseUrl: string;
  inboxUrl: string;
  keys: Secrets;
  /** @returns the pid of one of its processes, such as `api`, `worker` or `temporal`. @throws Error if it has none */
  pid: (process: string) => number;
  /** Whether it has a process of this name. */
  has: (process: string) => boolean;
  /** Stops every process with `SIGSTOP`, except those named, so that it takes no CPU while another side is measured. */
  freeze: (except?: readonly string[]) => void;
  thaw: () => void;
  stop: () => Promise<void>;
}

export interface SideOptions {
  name: string;
  /** Holds its data and logs. */
  folder: string;
  /** Where its code is. Default: this checkout. */
  checkout?: string;
  /** The program that starts it, within the checkout. It takes the same variables as `npm start`, which is the default. */
  entry?: string;
  /** Its database, which exists. */
  databaseUrl: string;
  /** How its processes reach the database. Default: directly. */
  connectThrough?: string;
  /** Further variables. */
  environment?: NodeJS.ProcessEnv;
}

const stackFile = z.object({ children: z.array(z.object({ name: z.string(), identity: processIdentity })) });

/**
 * Starts a side as `npm start` does: each application in a process of its own, the simulators together in one. The
 * warehouse ships and delivers without delay.
 */
export async function startSide(options: SideOptions): Promise<Side> {
  const { name, folder, databaseUrl, environment, checkout = projectRoot, entry = 'src/sandbox/main.ts' } = options;
  const [api = 0, temporal = 0, temporalUi = 0, smtp = 0, inbox = 0, payments = 0, warehouse = 0, ...metrics] = await freePorts(10);
  await mkdir(folder, { recursive: true });
  const logFile = join(folder, 'stack.log');
  const main = await startChild({
    name,
    command: process.execPath,
    args: ['--import', 'tsx', entry],
    cwd: checkout,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      HOLDFAST_HOME: folder,
      DATABASE_URL: options.connectThrough ?? databaseUrl,
      API_PORT: String(api),
      TEMPORAL_PORT: String(temporal),
      TEMPORAL_UI_PORT: String(temporalUi),
      SMTP_PORT: String(smtp),
      INBOX_PORT: String(inbox),
      PAYMENTS_PORT: String(payments),
      WAREHOUSE_PORT: String(warehouse),
      API_METRICS_PORT: String(metrics[0]),
      WORKER_METRICS_PORT: String(metrics[1]),
      TEMPORAL_METRICS_PORT: String(metrics[2]),
      WAREHOUSE_SHIP_AFTER: '1ms',
      WAREHOUSE_DELIVER_AFTER: '1ms',
      RATE_LIMIT: 'off',
      ...environment,
    },
    logFile,
    stopSignal: 'SIGTERM',
    stopGraceMs: 60_000,
    isReady: async () => (await readFile(logFile, 'utf8')).includes(' is up after '),
    readyWithinMs: 180_000,
  });

  const children = () => {
    const text = readFileSync(join(folder, 'stack.json'), 'utf8');
    return stackFile.parse(JSON.parse(text)).children.map((child) => ({ name: child.name, pid: child.identity.pid }));
  };
  let frozen: number[] = [];
  const thaw = () => {
    for (const pid of frozen.toReversed()) send(pid, 'SIGCONT');
    frozen = [];
  };
  const kill = () => {
    for (const pid of withDescendants(main.pid)) send(pid, 'SIGKILL');
  };
  process.once('exit', kill);
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  let stopping: Promise<void> | undefined;
  const stop = async () => {
    thaw();
    await sql.end();
    await main.stop();
    process.removeListener('exit', kill);
  };

  return {
    name,
    url: localUrl(api),
    sql,
    temporalAddress: `127.0.0.1:${temporal}`,
    warehouseUrl: localUrl(warehouse),
    inboxUrl: localUrl(inbox),
    keys: await loadSecrets(folder),
    pid(wanted) {
      const all = [...children(), { name: 'stack', pid: main.pid }];
      const found = all.find((child) => child.name === wanted);
      if (!found) throw new Error(`${name} has no process ${wanted}, only ${all.map((child) => child.name).join(', ')}.`);
      return found.pid;
    },
    has: (wanted) => children().some((child) => child.name === wanted),
    freeze(except = []) {
      const kept = children().filter((child) => except.includes(child.name)).flatMap(({ pid }) => withDescendants(pid));
      thaw();
      frozen = withDescendants(main.pid).filter((pid) => !kept.includes(pid));
      for (const pid of frozen) send(pid, 'SIGSTOP');
    },
    thaw,
    stop: () => (stopping ??= stop()),
  };
}

/** Lays out the code of a commit in a folder, with the packages of this checkout. @returns the folder */
export async function checkOut(commit: string, folder: string): Promise<string> {
  const target = join(folder, `checkout-${commit}`);
  await mkdir(target, { recursive: true });
  const archive = join(folder, `${commit}.tar`);
  await run('git', ['archive', `--output=${archive}`, commit], { cwd: projectRoot });
  await run('tar', ['-xf', archive, '-C', target]);
  await symlink(join(projectRoot, 'node_modules'), join(target, 'node_modules'));
  return target;
}
