import { existsSync } from 'node:fs';
import { Connection } from '@temporalio/client';
import { startChild, type Child, type Supervision } from './child.ts';
import { makePrivate } from './private-file.ts';

/** A running Temporal development server. */
export interface TemporalServer extends Child {
  /** host:port of its gRPC service. */
  address: string;
}

/** How to run a Temporal development server. */
export interface TemporalServerOptions {
  /** Path of the `temporal` program. */
  binary: string;
  port: number;
  /** Port of the Web UI. Without it, there is no Web UI. */
  uiPort?: number;
  /** Where the browser of the Web UI finds the codec that decrypts payloads. */
  codecUrl?: string;
  /** The file for its state. Without it, the state is lost when the server stops; with it, a power cut may lose the last moments. */
  databaseFile?: string;
  /** Created at the start, in addition to "default". */
  namespace?: string;
  logFile: string;
  supervision?: Supervision;
}

/**
 * A commit does not wait for the disk: it survives the end of the process, but not a power cut. SQLite's defaults make an
 * order cost the server more than twice as much.
 */
const FAST_SQLITE = ['--sqlite-pragma=journal_mode=WAL', '--sqlite-pragma=synchronous=NORMAL'];

/**
 * Starts `temporal server start-dev` on loopback and waits until it serves.
 * @throws SetupError with the end of its log if it does not come up
 */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  const { binary, port, uiPort, codecUrl, databaseFile, namespace = 'default', logFile, supervision } = options;
  const address = `127.0.0.1:${port}`;
  if (databaseFile !== undefined) makeDatabasePrivate(databaseFile);
  const child = await startChild(
    {
      name: 'temporal',
      command: 'sh',
      args: [
        ...PRIVATELY,
        binary,
        'server',
        'start-dev',
        '--ip=127.0.0.1',
        `--port=${port}`,
        '--log-level=error',
        '--log-format=json',
        `--namespace=${namespace}`,
        ...(uiPort === undefined
          ? ['--headless']
          : ['--ui-ip=127.0.0.1', `--ui-port=${uiPort}`, '--ui-disable-news-fetch']),
        ...(codecUrl === undefined ? [] : [`--ui-codec-endpoint=${codecUrl}`]),
        ...(databaseFile === undefined ? [] : [`--db-filename=${databaseFile}`, ...FAST_SQLITE]),
      ],
      logFile,
      stopSignal: 'SIGTERM',
      stopGraceMs: 15_000,
      isReady: () => serves(address, namespace),
      readyWithinMs: 60_000,
    },
    supervision,
  );
  return Object.assign(child, { address });
}

/**
 * Runs a program whose files are for its owner only. The server creates its database itself: in a file that exists, it expects
 * to find its tables.
 */
const PRIVATELY = ['-c', 'umask 077 && exec "$0" "$@"'];

/** Takes the rights of others from a database that exists, and from what a killed server has left beside it. */
function makeDatabasePrivate(file: string): void {
  for (const path of [file, `${file}-wal`, `${file}-shm`]) if (existsSync(path)) makePrivate(path);
}

/** Asks for the namespace, because the port opens before the namespace exists. */
async function serves(address: string, namespace: string): Promise<boolean> {
  const connection = await Connection.connect({ address, connectTimeout: 1_000 });
  try {
    await connection.workflowService.describeNamespace({ namespace });
    return true;
  } finally {
    await connection.close();
  }
}
