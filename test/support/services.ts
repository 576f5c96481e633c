import { join } from 'node:path';
import type { ProvidedContext } from 'vitest';
import { connectDatabase } from '../../src/db/client.ts';
import { migrate } from '../../src/db/migrate.ts';
import { seedCatalogue } from '../../src/db/seed.ts';
import type { Child } from '../../src/sandbox/child.ts';
import { freePort } from '../../src/sandbox/ports.ts';
import { startPostgres } from '../../src/sandbox/postgres.ts';
import { temporalBinary, temporalCli, temporalTestServer } from '../../src/sandbox/temporal-binaries.ts';
import { startTemporalServer } from '../../src/sandbox/temporal-server.ts';
import { createDatabase, TEMPLATE } from './postgres.ts';
import { createTemporaryFolder, type TemporaryFolder } from './temporary-folder.ts';

/** A service that runs during the whole test run, and what the tests need to know to reach it. */
export interface RunningService {
  fact: string;
  stop: () => Promise<void>;
}

/**
 * How to start each service, keyed by the name under which its fact is provided. Temporal's packages are large, so they
 * are loaded only where they are needed.
 */
export const services: Record<keyof ProvidedContext, () => Promise<RunningService>> = {
  async postgresUrl() {
    const folder = await createTemporaryFolder();
    const server = await startPostgres({
      dataFolder: join(folder.path, 'postgres'),
      port: await freePort(),
      password: 'only for tests',
      logFile: join(folder.path, 'postgres.log'),
      // The data is thrown away, so it need not survive a crash.
      settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '300' },
    });
    await createTemplate(server.url);
    return { fact: server.url, stop: stopping(server, folder) };
  },

  async temporalAddress() {
    const folder = await createTemporaryFolder();
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
    const folder = await createTemporaryFolder();
    const file = join(folder.path, 'workflow-bundle.js');
    const { writeWorkflowBundle } = await import('../../src/temporal/workflow-bundle.ts');
    await writeWorkflowBundle(file);
    return { fact: file, stop: folder.remove };
  },
};

/** Copying a database is faster than migrating each test's own. */
async function createTemplate(serverUrl: string): Promise<void> {
  const url = await createDatabase(serverUrl, TEMPLATE);
  await migrate(url);
  const { db, close } = connectDatabase(url, { max: 1, name: 'template' });
  await seedCatalogue(db);
  await close();
}

/** Stops a server at the end of the run. If the run is interrupted, the server is killed with it. */
function stopping(server: Child, folder: TemporaryFolder): () => Promise<void> {
  process.once('exit', () => server.kill());
  return () => server.stop().then(folder.remove);
}
