import { once } from 'node:events';
import { createServer } from 'node:http';
import { collectDefaultMetrics, register } from 'prom-client';

/** @returns metrics in Prometheus' text format, as they are now */
export type MetricsSource = () => Promise<string>;

export interface MetricsServer {
  url: string;
  close: () => Promise<void>;
}

let isCollecting = false;

/** Memory, CPU, garbage collection and the event loop. */
function collectProcessMetrics(): void {
  if (isCollecting) return;
  isCollecting = true;
  collectDefaultMetrics();
}

/**
 * Serves the metrics of this process at `/metrics`. On a port of its own, so that it can be kept from the internet.
 * @param sources what is read for each request, besides what this process has counted
 * @throws when the port is taken
 */
export async function serveMetrics(address: { host: string; port: number }, sources: MetricsSource[]): Promise<MetricsServer> {
  collectProcessMetrics();
  const read = async () => (await Promise.all([register.metrics(), ...sources.map((source) => source())])).join('\n');
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') return void response.writeHead(404).end();
    read().then(
      (text) => response.writeHead(200, { 'Content-Type': register.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  server.listen(address);
  await once(server, 'listening');
  const bound = server.address();
  const port = typeof bound === 'object' && bound ? bound.port : address.port;
  return {
    url: `http://${address.host}:${port}/metrics`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
