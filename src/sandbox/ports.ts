import { createServer, type Server } from 'node:net';

const loopback = '127.0.0.1';

/** Returns the URL of a server on a loopback port. */
export const localUrl = (port: number, path = ''): string => `http://${loopback}:${port}${path}`;

/**
 * Listens on a loopback port and returns the port. Port 0 means any free port.
 * @throws the error of `listen` (`EADDRINUSE`, …)
 */
export function listenLocally(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: loopback, exclusive: true }, () => {
      const address = server.address();
      if (address === null || typeof address === 'string') return reject(new Error('The server has no TCP address.'));
      resolve(address.port);
    });
  });
}

/**
 * Returns why a loopback port cannot be used, or undefined if it is free. Listens on it briefly: connecting would miss a
 * server that is still starting.
 */
export function portProblem(port: number): Promise<string | undefined> {
  return listenBriefly(port).then(
    () => undefined,
    (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? 'is taken' : `cannot be used (${error.code ?? error.message})`,
  );
}

/** Returns this many different free loopback ports. Another process may still take one before it is used. */
export async function freePorts(count: number): Promise<number[]> {
  // All servers listen at the same time, so the system cannot hand out one port twice.
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(servers.map((server) => listenLocally(server, 0)));
  await Promise.all(servers.map(close));
  return ports;
}

/** Returns one free loopback port. */
export const freePort = (): Promise<number> => listenBriefly(0);

async function listenBriefly(port: number): Promise<number> {
  const server = createServer();
  const bound = await listenLocally(server, port);
  await close(server);
  return bound;
}

const close = (server: Server) => new Promise<void>((resolve) => server.close(() => resolve()));
