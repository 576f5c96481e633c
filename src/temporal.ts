import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection, type NativeConnectionOptions } from '@temporalio/worker';

/**
 * Connects by the standard Temporal names (`TEMPORAL_ADDRESS`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS_…`, or a profile).
 * @see https://docs.temporal.io/develop/environment-configuration
 */
export async function connectTemporal(): Promise<NativeConnection> {
  const { connectionOptions } = loadClientConnectConfig();
  return await NativeConnection.connect(connectionOptions satisfies NativeConnectionOptions);
}
