import { once } from 'node:events';
import { createServer } from 'node:http';
import { onTestFinished } from 'vitest';

/** What a service answers. Without a status it says nothing at all. */
export interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
}

/** Serves one answer to whatever is asked, for failures that the simulators have no reason to give. @returns its URL */
export async function answering({ status, headers = {}, body = {} }: Answer): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    incoming.resume();
    if (status === undefined) return;
    outgoing.writeHead(status, { 'content-type': 'application/json', ...headers });
    outgoing.end(typeof body === 'string' ? body : JSON.stringify(body));
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
