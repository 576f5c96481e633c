import { createServer } from 'node:http';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { listenLocally, localUrl } from '../ports.ts';
import type { Fault } from './faults.ts';

/** The Hono environment of every simulator. `fault` is the fault that applies to the current request. */
export type SimulatorEnv = { Bindings: HttpBindings; Variables: { fault: Fault | undefined; requestId: string } };

/**
 * Serves `app` on 127.0.0.1. Port 0 means any free port. `close` drops open connections and requests at once.
 * @throws the error of `listen` (`EADDRINUSE`, …)
 */
export async function serveHttp(
  app: { fetch: Parameters<typeof getRequestListener>[0] },
  port: number,
): Promise<{ url: string; port: number; close: () => Promise<void> }> {
  const listener = getRequestListener(app.fetch);
  const server = createServer((incoming, outgoing) => void listener(incoming, outgoing));
  const bound = await listenLocally(server, port);
  return {
    url: localUrl(bound),
    port: bound,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
