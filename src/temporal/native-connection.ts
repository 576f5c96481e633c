import { NativeConnection, type NativeConnectionOptions } from '@temporalio/worker';
import { temporalAddress } from './connection.ts';

/** Opens a worker's connection. @throws when Temporal cannot be reached */
export async function connectTemporalNatively(): Promise<NativeConnection> {
  const options = temporalAddress().connectionOptions satisfies NativeConnectionOptions;
  return await NativeConnection.connect({ ...options, ...(isOnThisHost(options.address) && { grpcCompression: { codec: 'none' } }) });
}

/** Nothing is gained by compressing what does not leave the host. @param address `host:port` */
const isOnThisHost = (address = ''): boolean => /^(127\.0\.0\.1|localhost|\[::1\]):/.test(address);
