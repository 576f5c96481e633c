import { createServer } from 'node:http';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { knownHosts } from '../../hosts.ts';
import { listenLocally, localUrl } from '../ports.ts';
import type { Fault } from './faults.ts';

/** The Hono environment of every simulator. `fault` is the fault that applies to the current request. */
export type SimulatorEnv = { Bindings: HttpBindings; Variables: { fault: Fault | undefined; requestId: string } };

/**
 * Serves `app` on 127.0.0.1. Port 0 means any free port. `close` drops open connections and requests at once.
 * @param allowedHosts names that it answers as, see {@link knownHosts}
 * @throws the error of `listen` (`EADDRINUSE`, …)
 */
export async function serveHttp(
  app: { fetch: Parameters<typeof getRequestListener>[0] },
  port: number,
  allowedHosts: readonly string[],
): Promise<{ url: string; port: number; close: () => Promise<void> }> {
  const listener = getRequestListener(app.fetch);
  const isKnown = knownHosts(allowedHosts);
  const server = createServer((incoming, outgoing) => {
    if (isKnown(incoming.headers.host ?? '')) void listener(incoming, outgoing);
    else outgoing.writeHead(421, { 'content-type': 'text/plain' }).end('Unknown host. See ALLOWED_HOSTS.\n');
  });
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
