import { Connection, type ConnectionOptions } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';

/**
 * Reads where Temporal is, by its standard variables (`TEMPORAL_ADDRESS`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS_…`) or a profile.
 * @see https://docs.temporal.io/develop/environment-configuration
 */
export function temporalAddress(environment: NodeJS.ProcessEnv = process.env) {
  const overrideEnvVars = Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  return loadClientConnectConfig({ overrideEnvVars });
}

/** Opens a client's connection. It connects when first used, so Temporal may be away. @param options besides the address */
export const connectTemporal = (options: ConnectionOptions = {}, environment?: NodeJS.ProcessEnv): Connection =>
  Connection.lazy({ ...temporalAddress(environment).connectionOptions, ...options });
