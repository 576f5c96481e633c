import { createServer } from 'node:net';
import { onTestFinished } from 'vitest';
import { listenLocally } from '../../src/sandbox/ports.ts';

/** Listens on a port until the test ends. */
export async function occupy(port: number): Promise<void> {
  const server = createServer();
  await listenLocally(server, port);
  onTestFinished(() => void server.close());
}
