import { getRequestListener } from '@hono/node-server';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Api } from './environment.ts';
import { setSecurityHeaders } from './security-headers.ts';

/** ms that running requests have to finish when the server stops. */
const GRACE = 10_000;

export interface RunningServer {
  url: string;
  /** Accepts no more requests, lets running ones finish, and resolves when all are done. */
  close: () => Promise<void>;
}

/**
 * @param port 0 for any that is free
 * @throws when the port is taken
 */
export async function listen(api: Api, { host, port }: { host: string; port: number }): Promise<RunningServer> {
  const answer = getRequestListener(api.fetch);
  const server = createServer((incoming, outgoing) => {
    setSecurityHeaders(outgoing);
    void answer(incoming, outgoing);
  });
  const hangUp = hangUpWhenIdle(server);
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  const actualPort = typeof address === 'object' && address ? address.port : port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${actualPort}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      hangUp();
      const deadline = setTimeout(() => server.closeAllConnections(), GRACE);
      await closed;
      clearTimeout(deadline);
    },
  };
}

/**
 * Node closes idle connections that have served a request, but waits for those that a browser opened in advance.
 * @returns a function that ends each connection as soon as it has no request under way
 */
function hangUpWhenIdle(server: Server): () => void {
  const idle = new Set<Socket>();
  let hangingUp = false;
  const rest = (socket: Socket) => {
    if (hangingUp) socket.end();
    else if (!socket.destroyed) idle.add(socket);
  };
  server.on('connection', (socket) => {
    rest(socket);
    socket.once('close', () => idle.delete(socket));
  });
  server.on('request', ({ socket }, response) => {
    idle.delete(socket);
    response.once('close', () => rest(socket));
  });
  return () => {
    hangingUp = true;
    for (const socket of idle) socket.destroy();
  };
}
