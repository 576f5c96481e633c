import { randomInt } from 'node:crypto';
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

/**
 * Where free ports are looked for: below those that systems hand out for port 0 and for outgoing connections. One of these could take
 * a port before it is used. Only even ports are given out: the odd one above each is its claim.
 */
const FREE = { from: 20_000, to: 32_000 };

/**
 * Returns this many different free loopback ports. No other process, and no later call, finds them as long as this process runs, even
 * if nothing listens on them yet.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = 2 * randomInt(FREE.from / 2, FREE.to / 2);
    if ((await portProblem(port)) === undefined && (await claim(port))) ports.add(port);
  }
  return [...ports];
}

/** Claims a port until this process ends, by listening on the next one: that works between any two processes. Returns false if it is claimed. */
async function claim(port: number): Promise<boolean> {
  const claimed = createServer().unref();
  return listenLocally(claimed, port + 1).then(
    () => true,
    () => false,
  );
}

/** Returns one free loopback port. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

async function listenBriefly(port: number): Promise<void> {
  const server = createServer();
  await listenLocally(server, port);
  await close(server);
}

const close = (server: Server) => new Promise<void>((resolve) => server.close(() => resolve()));
