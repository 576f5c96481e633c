import { ConfigError, loadApiConfig, type ApiConfig } from '../config.ts';
import { createLogger } from '../log.ts';
import { startTracing, stopTracing } from '../tracing/spans.ts';
import type { Api } from './environment.ts';
import { startApi } from './service.ts';

/**
 * Runs the API as this process, until SIGTERM or SIGINT, on which it shuts down cleanly.
 * @param extend adds routes of its own: the embedded stack has a shop window
 */
export async function runApi(extend?: (api: Api) => void): Promise<void> {
  const config = configure();
  if (!config) return;
  const log = createLogger('api', config.LOG_LEVEL);
  try {
    await startTracing('holdfast-api', config.OTEL_EXPORTER_OTLP_ENDPOINT);
    const server = await startApi(config, log, extend);
    log.info({ url: server.url }, 'listening');
    const signal = await new Promise<NodeJS.Signals>((resolve) => {
      process.once('SIGTERM', resolve);
      process.once('SIGINT', resolve);
    });
    log.info({ signal }, 'stopping');
    await server.close();
    await stopTracing();
    log.info('stopped');
  } catch (error) {
    log.fatal({ err: error }, 'the API cannot run');
    process.exitCode = 1;
  }
}

function configure(): ApiConfig | undefined {
  try {
    return loadApiConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
    return undefined;
  }
}
