import { once } from 'node:events';
import { createServer } from 'node:http';
import { onTestFinished } from 'vitest';

/** The answer of a service. Without a status, it never answers. */
export interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
  /** Whether the connection ends with the body, although more of it was announced. */
  isCutShort?: boolean;
}

/** Serves one answer to all requests, for errors that the simulators do not produce. @returns its URL */
export async function answering({ status, headers = {}, body = {}, isCutShort = false }: Answer): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    incoming.resume();
    if (status === undefined) return;
    outgoing.writeHead(status, { 'content-type': 'application/json', ...headers });
    outgoing.write(typeof body === 'string' ? body : JSON.stringify(body), () => {
      if (isCutShort) outgoing.destroy();
    });
    if (!isCutShort) outgoing.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
}
