import { Connection } from '@temporalio/client';
import { startChild, type Child, type Supervision } from './child.ts';

/** A Temporal development server that runs. */
export interface TemporalServer extends Child {
  /** host:port of its gRPC service. */
  address: string;
}

/** How to run a Temporal development server. */
export interface TemporalServerOptions {
  /** Path of the `temporal` program. */
  binary: string;
  port: number;
  /** Port of the Web UI; without one there is no UI. */
  uiPort?: number;
  /** File it keeps its state in; without one the state is lost when it ends. */
  databaseFile?: string;
  /** Made at launch besides "default", which is always there. */
  namespace?: string;
  logFile: string;
  supervision?: Supervision;
}

/**
 * Starts `temporal server start-dev` on loopback and waits until it serves.
 * @throws SetupError with the end of its log when it does not come up
 */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  const { binary, port, uiPort, databaseFile, namespace = 'default', logFile, supervision } = options;
  const address = `127.0.0.1:${port}`;
  const child = await startChild(
    {
      name: 'temporal',
      command: binary,
      args: [
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
        ...(databaseFile === undefined ? [] : [`--db-filename=${databaseFile}`]),
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

/** The port opens before the namespace exists, so ask for the namespace. */
async function serves(address: string, namespace: string): Promise<boolean> {
  const connection = await Connection.connect({ address, connectTimeout: 1_000 });
  try {
    await connection.workflowService.describeNamespace({ namespace });
    return true;
  } finally {
    await connection.close();
  }
}
