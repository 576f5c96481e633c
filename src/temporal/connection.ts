import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor, type ConnectionOptions } from '@temporalio/client';
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

/**
 * Opens a client's connection. It connects when first used, so Temporal may be away. It closes after the last retry of its calls: the
 * SDK retries on a timer, and a retry on a closed connection throws where no caller can catch it, which ends the process.
 * @param options besides the address
 */
export function connectTemporal(options: ConnectionOptions = {}, environment?: NodeJS.ProcessEnv): Connection {
  const retries = createRetries();
  const connection = Connection.lazy({
    ...temporalAddress(environment).connectionOptions,
    interceptors: [retries.interceptor],
    ...options,
  });
  const close = connection.close.bind(connection);
  connection.close = async () => {
    await retries.stop();
    await close();
  };
  return connection;
}

/** ms after a retry at which it has started for sure. */
const STARTED = 10;

/** The SDK's own retries, which can be stopped. */
function createRetries() {
  const { retryableDecider, delayFunction } = defaultGrpcRetryOptions();
  let stopped = false;
  let lastAt = 0;
  return {
    interceptor: makeGrpcRetryInterceptor({
      retryableDecider: (attempt, status) => !stopped && retryableDecider(attempt, status),
      delayFunction(attempt, status) {
        const delay = delayFunction(attempt, status);
        lastAt = Math.max(lastAt, performance.now() + delay);
        return delay;
      },
    }),
    /** Lets no call be retried again. @returns once the retries that were on their way have started */
    async stop() {
      stopped = true;
      const left = lastAt - performance.now();
      if (left > 0) await sleep(left + STARTED);
    },
  };
}
