import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context, Hono, MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import type { Fault, FaultPanel } from './faults.ts';

/** The Hono environment of every simulator: `fault` is what the request at hand is to suffer. */
export type SimulatorEnv = { Bindings: HttpBindings; Variables: { fault: Fault | undefined; requestId: string } };

/** Builds an error answer in the simulator's own format. `code` is stable, `message` is for people. */
export type ErrorAnswer = (c: Context, status: 429 | 500, code: string, message: string) => Response;

/** @throws Error when NODE_ENV is `production`: a simulator would take orders without taking money. */
export function refuseInProduction(): void {
  if (process.env['NODE_ENV'] === 'production') throw new Error('Simulators do not run with NODE_ENV=production.');
}

/**
 * Serves `app` on 127.0.0.1; port 0 means any free port. `close` drops open connections and requests at once.
 * @throws the listen error (`EADDRINUSE`, …)
 */
export async function serveOnLoopback(
  app: Hono<SimulatorEnv>,
  port: number,
): Promise<{ url: string; port: number; close: () => Promise<void> }> {
  const listener = getRequestListener(app.fetch);
  const server = createServer((incoming, outgoing) => void listener(incoming, outgoing));
  const bound = await new Promise<AddressInfo>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('The server has no TCP address.'));
      else resolve(address);
    });
  });
  return {
    url: `http://127.0.0.1:${bound.port}`,
    port: bound.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The operations of `app` that faults may name: every route under `/v1`. */
export function operationsOf(app: Hono<SimulatorEnv>): string[] {
  return app.routes.filter(({ method, path }) => method !== 'ALL' && path.startsWith('/v1/')).map(({ method, path }) => `${method} ${path}`);
}

/** Lets each request suffer the fault of `panel`. `slow` and `error_after_commit` are left to `underFault`. */
export function faultMiddleware(panel: FaultPanel, answer: ErrorAnswer): MiddlewareHandler<SimulatorEnv> {
  return async (c, next) => {
    const fault = panel.take(`${c.req.method} ${routePath(c, -1)}`);
    c.set('fault', fault);
    switch (fault?.mode) {
      case 'down':
        return dropConnection(c);
      case 'error_before':
        return answer(c, 500, 'api_error', 'Simulated failure before the request was executed.');
      case 'rate_limit':
        c.header('Retry-After', '1');
        return answer(c, 429, 'rate_limit', 'Simulated rate limit.');
      case 'drop_after_commit':
        await next();
        c.res = dropConnection(c);
        return;
      case 'slow':
        return panel.holdUp(next);
      case 'error_after_commit':
      case undefined:
        return next();
    }
  };
}

function dropConnection(c: Context<SimulatorEnv>): Response {
  c.env.incoming.socket.destroy();
  return RESPONSE_ALREADY_SENT;
}
