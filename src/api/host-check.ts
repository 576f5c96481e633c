import type { MiddlewareHandler } from 'hono';
import type { ApiEnv } from './environment.ts';
import { Problem } from './errors.ts';

/** @returns a middleware that refuses requests to a host that is not known (see `hosts.ts`) */
export const refuseUnknownHosts =
  (isKnown: (host: string) => boolean): MiddlewareHandler<ApiEnv> =>
  (c, next) => {
    const host = c.req.header('Host') ?? '';
    if (isKnown(host)) return next();
    throw new Problem('unknown_host', `"${host}" is not a host of this API. If it should be, add it to ALLOWED_HOSTS.`);
  };
