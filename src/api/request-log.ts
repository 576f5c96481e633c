import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import { routePath } from 'hono/route';
import type { Logger } from '../log.ts';
import type { ApiEnv, CallerEnv } from './environment.ts';

/** Health checks come every few seconds, so they are not worth a line. */
const QUIET = /^\/(livez|readyz)$/;

/** @returns a middleware that logs each request when its answer begins. Ids only: no text in the path, no query, no body, no header. */
export function requestLog(log: Logger) {
  // Nothing in them needs to be redacted, and looking for it takes longer than writing them.
  const lines = log.child({}, { redact: [] });
  return createMiddleware<ApiEnv & Partial<CallerEnv>>(async (c, next) => {
    const started = performance.now();
    await next();
    const caller: unknown = c.get('caller');
    lines[QUIET.test(c.req.path) ? 'debug' : 'info'](
      {
        requestId: c.get('requestId'),
        method: c.req.method,
        path: loggedPath(c),
        status: c.res.status,
        ms: Math.round(performance.now() - started),
        ...(isCaller(caller) ? { keyId: caller.keyId } : {}),
      },
      'request',
    );
  });
}

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * @returns the path of the request if it consists of what the API calls its parts and of ids; in the place of anything else, the
 * name of the parameter. Callers put addresses and names there by mistake.
 */
function loggedPath(c: Context): string {
  const { path } = c.req;
  const route = routePath(c, -1);
  if (route === path) return path;
  const given = path.split('/');
  return route
    .split('/')
    .map((part, index) => (part.startsWith(':') && ID.test(given[index] ?? '') ? given[index] : part))
    .join('/');
}

const isCaller = (value: unknown): value is { keyId: string } =>
  typeof value === 'object' && value !== null && 'keyId' in value;
