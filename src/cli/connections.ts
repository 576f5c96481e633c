import { Client } from '@temporalio/client';
import { loadOpsConfig, type OpsConfig } from '../config.ts';
import { connectDatabase } from '../db/client.ts';
import { DATABASE_LIMITS } from '../db/limits.ts';
import { connectTemporal } from '../temporal/connection.ts';
import { createDataConverter } from '../temporal/payloads/data-converter.ts';
import { Links } from '../views/links.ts';

/** What a command works with. */
export type Connections = ReturnType<typeof open>;

function open({ DATABASE_URL, TEMPORAL_NAMESPACE, TEMPORAL_UI_URL, SHOP_TIME_ZONE, PAYLOAD_KEYS }: OpsConfig) {
  const { db, close } = connectDatabase(DATABASE_URL, { max: 2, name: 'holdfast-ops', limits: DATABASE_LIMITS.command });
  const connection = connectTemporal();
  return {
    db,
    temporal: new Client({ connection, namespace: TEMPORAL_NAMESPACE, dataConverter: createDataConverter(PAYLOAD_KEYS) }),
    links: new Links(TEMPORAL_UI_URL, TEMPORAL_NAMESPACE),
    timeZone: SHOP_TIME_ZONE,
    close: async () => {
      await Promise.all([close(), connection.close()]);
    },
  };
}

/**
 * Works with connections to Postgres and Temporal, then closes them. Each connects when first used.
 * @throws ConfigError when the environment is incomplete
 */
export async function connected<Result>(work: (connections: Connections) => Promise<Result>): Promise<Result> {
  const connections = open(loadOpsConfig());
  try {
    return await work(connections);
  } finally {
    await connections.close();
  }
}
