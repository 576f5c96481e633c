import { NativeConnection, type NativeConnectionOptions } from '@temporalio/worker';
import { temporalAddress } from './connection.ts';

/** Opens a worker's connection. @throws when Temporal cannot be reached */
export async function connectTemporalNatively(): Promise<NativeConnection> {
  return await NativeConnection.connect(temporalAddress().connectionOptions satisfies NativeConnectionOptions);
}
