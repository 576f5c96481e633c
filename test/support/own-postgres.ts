import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { afterAll, expect } from 'vitest';
import { connectDatabase, type Database } from '../../src/db/client.ts';
import { migrate } from '../../src/db/migrate.ts';
import { seedCatalogue } from '../../src/db/seed.ts';
import { freePort } from '../../src/sandbox/ports.ts';
import { startPostgres } from '../../src/sandbox/postgres.ts';
import { send, withDescendants } from './signals.ts';
import { createTemporaryFolder } from './temporary-folder.ts';

/** A PostgreSQL server that can be frozen: its connections stay open, and nobody answers. */
export interface OwnPostgres {
  /** A database with the schema and the catalogue. */
  url: string;
  freeze(): void;
  thaw(): void;
}

/** @returns a server for the tests of one file, stopped after them */
export async function useOwnPostgres(): Promise<OwnPostgres> {
  const folder = await createTemporaryFolder();
  const server = await startPostgres({
    dataFolder: join(folder.path, 'postgres'),
    port: await freePort(),
    password: 'only for tests',
    logFile: join(folder.path, 'postgres.log'),
    settings: { fsync: 'off' },
  });
  let frozen: number[] = [];
  const thaw = () => {
    for (const pid of frozen.toReversed()) send(pid, 'SIGCONT');
    frozen = [];
  };
  const kill = () => {
    thaw();
    server.kill();
  };
  process.once('exit', kill);
  afterAll(async () => {
    thaw();
    await server.stop();
    await folder.remove();
    process.removeListener('exit', kill);
  });

  await migrate(server.url);
  const { db, close } = connectDatabase(server.url, { max: 1, name: 'template' });
  await seedCatalogue(db);
  await close();

  return {
    url: server.url,
    freeze() {
      // Each session has a process of its own. Their parent stops first, so that it starts no others.
      send(server.pid, 'SIGSTOP');
      frozen = withDescendants(server.pid);
      for (const pid of frozen) send(pid, 'SIGSTOP');
    },
    thaw,
  };
}

/** Fails if a session of this name stays in a transaction that nobody will end. */
export async function expectNoOpenTransaction(db: Database, name: string): Promise<void> {
  const open = async () => {
    const { rows } = await db.execute(
      sql`select pid from pg_stat_activity where application_name = ${name} and xact_start is not null`,
    );
    return rows.length;
  };
  await expect.poll(open).toBe(0);
}
