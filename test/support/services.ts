import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import type { ProvidedContext } from 'vitest';
import { migrate } from '../../src/db/migrate.ts';
import type { Child } from '../../src/sandbox/child.ts';
import { freePort } from '../../src/sandbox/ports.ts';
import { startPostgres } from '../../src/sandbox/postgres.ts';
import { temporalBinary, temporalCli, temporalTestServer } from '../../src/sandbox/temporal-binaries.ts';
import { startTemporalServer } from '../../src/sandbox/temporal-server.ts';
import { templateDatabase } from './template-database.ts';

/** A part that runs for the whole of a test run, and the one fact that tests need to know of it. */
export interface RunningService {
  fact: string;
  stop: () => Promise<void>;
}

/**
 * How to start each part, by the name its fact is provided under. Temporal's packages are large and loaded only where
 * they are needed.
 */
export const services: Record<keyof ProvidedContext, () => Promise<RunningService>> = {
  async postgresUrl() {
    const folder = await temporaryFolder();
    const server = await startPostgres({
      dataFolder: join(folder.path, 'postgres'),
      port: await freePort(),
      password: 'only for tests',
      logFile: join(folder.path, 'postgres.log'),
      // The data is thrown away, so a crash need not be survived.
      settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '300' },
    });
    await makeTemplate(server.url);
    return { fact: server.url, stop: stopping(server, folder) };
  },

  async temporalAddress() {
    const folder = await temporaryFolder();
    const server = await startTemporalServer({
      binary: await temporalBinary(temporalCli),
      port: await freePort(),
      logFile: join(folder.path, 'temporal.log'),
    });
    const [{ NativeConnection }, { registerSearchAttributes }] = await Promise.all([
      import('@temporalio/worker'),
      import('../../src/temporal/search-attributes.ts'),
    ]);
    const connection = await NativeConnection.connect({ address: server.address });
    await registerSearchAttributes(connection, 'default');
    await connection.close();
    return { fact: server.address, stop: stopping(server, folder) };
  },

  async testServerPath() {
    return { fact: await temporalBinary(temporalTestServer), stop: async () => {} };
  },

  async workflowBundlePath() {
    const folder = await temporaryFolder();
    const file = join(folder.path, 'workflow-bundle.js');
    const { writeWorkflowBundle } = await import('../../src/temporal/workflow-bundle.ts');
    await writeWorkflowBundle(file);
    return { fact: file, stop: folder.remove };
  },
};

/** A database with the schema, which the tests' own are copied from: faster than migrating each. */
async function makeTemplate(serverUrl: string) {
  const url = new URL(serverUrl);
  const admin = postgres(url.href, { max: 1 });
  try {
    await admin`create database ${admin(templateDatabase)}`;
  } finally {
    await admin.end();
  }
  url.pathname = templateDatabase;
  await migrate(url.href);
}

/** Stops a server at the end of the run; should the run end without, it is killed rather than left behind. */
function stopping(server: Child, folder: { remove: () => Promise<void> }): () => Promise<void> {
  process.once('exit', () => server.kill());
  return () => server.stop().then(folder.remove);
}

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-test-'));
  // PostgreSQL may run as another user, who has to get in.
  await chmod(path, 0o755);
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
