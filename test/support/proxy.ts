import { connect, createServer, type Socket } from 'node:net';

/**
 * What a network does to what passes. `latency`: every piece arrives later, in both directions. `reset`: connections are
 * reset, new ones as soon as something is sent. `cut answer`: a connection ends within an answer. `black hole`: nothing
 * arrives any more, and nobody is told; connections of this time stay dead, as behind a firewall that has forgotten them.
 */
export const NETWORK_FAULTS = ['latency', 'reset', 'cut answer', 'black hole'] as const;
export type NetworkFault = (typeof NETWORK_FAULTS)[number];

/** ms */
const LATENCY = 100;
/** Bytes of an answer that still arrive, one after the other: before, within and after the headers of most protocols. */
const CUTS = [0, 1, 20, 300];

export type Proxy = Awaited<ReturnType<typeof startProxy>>;

/** Stands between two processes, on a free port of 127.0.0.1. Bytes pass as they are until a fault is set. */
export async function startProxy() {
  const connections = new Set<Connection>();
  let target: { host: string; port: number } | undefined;
  let fault: NetworkFault | undefined;
  let cuts = 0;

  interface Connection {
    meet(fault: NetworkFault): void;
    end(): void;
  }

  function bridge(client: Socket): void {
    const server = connect({ ...(target ?? { port: 0 }), allowHalfOpen: false });
    const [isDead, cutAfter] = [{ now: false }, { bytes: Infinity }];
    const connection: Connection = {
      meet(met) {
        if (met === 'black hole') isDead.now = true;
        if (met === 'cut answer') cutAfter.bytes = CUTS[(cuts += 1) % CUTS.length] ?? 0;
        if (met === 'reset') reset();
      },
      end: () => [client, server].forEach((socket) => socket.destroy()),
    };
    const reset = () => [client, server].forEach((socket) => socket.resetAndDestroy());
    connections.add(connection);

    const pass = (from: Socket, to: Socket, isAnswer: boolean) => {
      from.setNoDelay(true);
      from.on('data', (piece: Buffer) => {
        if (isDead.now) return;
        if (fault === 'reset') return reset();
        if (isAnswer && piece.length > cutAfter.bytes) {
          to.end(piece.subarray(0, cutAfter.bytes));
          from.destroy();
          return;
        }
        if (isAnswer) cutAfter.bytes -= piece.length;
        if (fault === 'latency') setTimeout(() => to.write(piece), LATENCY);
        else to.write(piece);
      });
      from.on('error', () => {});
      // Behind a black hole, nobody learns that the other side is gone.
      from.on('close', () => {
        if (!isDead.now) to.destroySoon();
        if (client.destroyed && server.destroyed) connections.delete(connection);
      });
    };
    pass(client, server, false);
    pass(server, client, true);
    if (fault && fault !== 'reset') connection.meet(fault);
  }

  const listener = createServer(bridge);
  await new Promise<void>((resolve) => {
    listener.listen(0, '127.0.0.1', resolve);
  });
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port.');

  return {
    address: `127.0.0.1:${address.port}`,

    /** Says where the connections lead. @param url its host and port */
    leadTo(url: string): void {
      const { hostname, port } = new URL(url);
      target = { host: hostname, port: Number(port) };
    },

    /** @returns a URL that leads through this proxy to the same place. The proxy leads there from now on */
    through(url: string): string {
      this.leadTo(url);
      const changed = new URL(url);
      changed.host = this.address;
      return changed.href.replace(/\/$/, url.endsWith('/') ? '/' : '');
    },

    /** Sets a fault, also for the connections that are open. */
    set(met: NetworkFault): void {
      fault = met;
      for (const connection of connections) connection.meet(met);
    },

    /** Ends the fault, for what connects or is sent from now on. */
    heal(): void {
      fault = undefined;
    },

    async close(): Promise<void> {
      const closed = new Promise((resolve) => listener.close(resolve));
      for (const connection of connections) connection.end();
      await closed;
    },
  };
}
