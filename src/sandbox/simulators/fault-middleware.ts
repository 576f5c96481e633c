import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context, MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import type { FaultPanel, SimulatedError } from './faults.ts';
import type { SimulatorEnv } from './http.ts';

const answers = {
  server_error: { status: 500, code: 'api_error' },
  rate_limit: { status: 429, code: 'rate_limit' },
} as const satisfies Record<SimulatedError, { status: 429 | 500; code: string }>;

/** Builds an error response in the simulator's own format. `code` is stable, `message` is for people. */
export type ErrorResponse = (c: Context, status: 429 | 500, code: string, message: string) => Response;

/** Applies the current fault to each request, except for the part that `underFault` applies. */
export function faultMiddleware(panel: FaultPanel, respond: ErrorResponse): MiddlewareHandler<SimulatorEnv> {
  return (c, next) => {
    const fault = panel.take(`${c.req.method} ${routePath(c, -1)}`);
    c.set('fault', fault);
    return panel.apply<Response | void>(fault, {
      serve: next,
      drop: () => {
        c.env.incoming.socket.destroy();
        c.res = RESPONSE_ALREADY_SENT;
      },
      fail: (error, message) => {
        const { status, code } = answers[error];
        if (error === 'rate_limit') c.header('Retry-After', '1');
        return respond(c, status, code, message);
      },
    });
  };
}
