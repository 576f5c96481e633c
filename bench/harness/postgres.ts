import { join } from 'node:path';
import postgres from 'postgres';
import { freePort } from '../../src/sandbox/ports.ts';
import { startPostgres } from '../../src/sandbox/postgres.ts';
import { createDatabase } from '../../test/support/postgres.ts';
import { cpuSecondsWithChildren } from './cpu.ts';

/** More than a run sells. */
const ENOUGH = 1_000_000;

export interface BenchPostgres {
  url: string;
  /** The version, for the result. */
  version: string;
  /** @returns the seconds of CPU that it has used so far */
  cpuSeconds: () => Promise<number>;
  /** Creates an empty database. @returns its URL */
  createDatabase: (name: string) => Promise<string>;
  stop: () => Promise<void>;
}

/** Starts the Postgres that all sides share. Its settings are those of `npm start`: every commit reaches the disk. */
export async function startBenchPostgres(folder: string): Promise<BenchPostgres> {
  const server = await startPostgres({
    dataFolder: join(folder, 'postgres'),
    port: await freePort(),
    password: 'only for measuring',
    logFile: join(folder, 'postgres.log'),
    // Room for the pools of all sides.
    settings: { max_connections: '300' },
  });
  const kill = () => server.kill();
  process.once('exit', kill);
  const sql = postgres(server.url, { max: 1 });
  const [row] = await sql<{ version: string }[]>`select current_setting('server_version') as version`;
  await sql.end();
  return {
    url: server.url,
    version: row?.version ?? 'unknown',
    cpuSeconds: () => cpuSecondsWithChildren(server.pid),
    createDatabase: (name) => createDatabase(server.url, name),
    async stop() {
      await server.stop();
      process.removeListener('exit', kill);
    },
  };
}

/** Adds stock to a database with the catalogue, so that no order of a run is refused. */
export async function fillStock(sql: postgres.Sql): Promise<void> {
  await sql`update stock set available = available + ${ENOUGH}`;
  // An earlier commit does not record what it has received.
  const [received] = await sql`select from information_schema.columns where table_name = 'stock' and column_name = 'received'`;
  if (received) await sql`update stock set received = received + ${ENOUGH}`;
}
