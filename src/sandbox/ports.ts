import { createServer } from 'node:net';

const loopback = '127.0.0.1';

/**
 * Returns undefined when a loopback port can be listened on, else why not. Binds it for a moment, because connecting would
 * miss a server that is only just coming up.
 */
export function portProblem(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'EADDRINUSE' ? 'is taken' : `cannot be used (${error.code ?? error.message})`),
    );
    probe.listen({ port, host: loopback, exclusive: true }, () => probe.close(() => resolve(undefined)));
  });
}

/** Returns as many different free loopback ports as asked for; another process may still take one before it is used. */
export async function freePorts(count: number): Promise<number[]> {
  // All are held open together, else the system could name one twice.
  const servers = await Promise.all(Array.from({ length: count }, listenAnywhere));
  await Promise.all(servers.map(({ close }) => close()));
  return servers.map(({ port }) => port);
}

/** Returns one free loopback port. */
export async function freePort(): Promise<number> {
  const { port, close } = await listenAnywhere();
  await close();
  return port;
}

function listenAnywhere(): Promise<{ port: number; close: () => Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, loopback, () => {
      const address = server.address();
      if (address === null || typeof address === 'string') return reject(new Error('the system gave no port'));
      resolve({ port: address.port, close: () => new Promise((closed) => server.close(() => closed())) });
    });
  });
}
