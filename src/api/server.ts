import { getRequestListener } from '@hono/node-server';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Api } from './environment.ts';

/** How long, in ms, requests under way have to finish when the server stops. */
const GRACE = 10_000;

export interface RunningServer {
  url: string;
  /** Takes no more requests, lets those under way finish, and resolves when all are gone. */
  close: () => Promise<void>;
}

/**
 * @param port 0 for any that is free
 * @throws when the port is taken
 */
export async function listen(api: Api, { host, port }: { host: string; port: number }): Promise<RunningServer> {
  const answer = getRequestListener(api.fetch);
  const server = createServer((incoming, outgoing) => void answer(incoming, outgoing));
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  const actualPort = typeof address === 'object' && address ? address.port : port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${actualPort}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      // A client may keep its connection for more requests; there will be none.
      const sweep = setInterval(() => server.closeIdleConnections(), 50);
      const deadline = setTimeout(() => server.closeAllConnections(), GRACE);
      await closed;
      clearInterval(sweep);
      clearTimeout(deadline);
    },
  };
}
