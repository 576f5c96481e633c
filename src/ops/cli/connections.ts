import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { loadOpsConfig, type OpsConfig } from '../../config.ts';
import { connectDatabase, type Database } from '../../db/client.ts';

/** What a command works on. Each connects when first used. */
export interface Connections {
  config: OpsConfig;
  db: Database;
  temporal: Client;
}

/**
 * Does some work with connections, and closes them.
 * @throws ConfigError when the environment is incomplete
 */
export async function connected<Result>(work: (connections: Connections) => Promise<Result>): Promise<Result> {
  const config = loadOpsConfig();
  const { db, close } = connectDatabase(config.DATABASE_URL, { max: 2, name: 'holdfast-ops' });
  const connection = Connection.lazy(loadClientConnectConfig().connectionOptions);
  try {
    return await work({ config, db, temporal: new Client({ connection, namespace: config.TEMPORAL_NAMESPACE }) });
  } finally {
    await Promise.all([close(), connection.close()]);
  }
}
