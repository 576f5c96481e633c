import { ConfigError, loadApiConfig, type ApiConfig } from '../config.ts';
import { createLogger } from '../log.ts';
import { startTracing, stopTracing } from '../tracing/spans.ts';
import { startApi } from './service.ts';

/** The API process. Shuts down cleanly on SIGTERM and SIGINT. */
async function main(config: ApiConfig): Promise<void> {
  const log = createLogger('api', config.LOG_LEVEL);
  try {
    await startTracing('holdfast-api', config.OTEL_EXPORTER_OTLP_ENDPOINT);
    const server = await startApi(config, log);
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

const config = configure();
if (config) await main(config);
