import { createMiddleware } from 'hono/factory';
import type { Caller } from '../contracts/caller.ts';
import type { Role } from '../contracts/statuses.ts';
import { ACCESS, ROLES_OF, type KeyedOperationId } from './access.ts';
import type { CallerEnv } from './environment.ts';
import { Problem } from './errors.ts';
import type { KeyRing } from './key-ring.ts';

const BEARER = /^Bearer +([\w.~+/-]+=*) *$/i;

/** @throws Problem `unauthenticated` unless the `Authorization` header holds a key that is in use */
async function identify(keys: KeyRing, authorization: string | undefined): Promise<Caller> {
  const key = BEARER.exec(authorization ?? '')?.[1];
  const caller = key === undefined ? undefined : await keys.identify(key);
  if (caller) return caller;
  // RFC 6750, section 3: `invalid_token` only for a request that sent a token.
  const challenge = key === undefined ? 'Bearer realm="holdfast"' : 'Bearer realm="holdfast", error="invalid_token"';
  throw new Problem('unauthenticated', 'Send Authorization: Bearer with a valid API key.', {
    headers: { 'WWW-Authenticate': challenge },
  });
}

/** @returns a middleware that admits only callers with one of the roles, and tells the handler who calls */
export const requireRole = (roles: readonly Role[]) =>
  createMiddleware<CallerEnv>(async (c, next) => {
    const caller = await identify(c.get('keys'), c.req.header('Authorization'));
    if (!roles.includes(caller.role)) {
      throw new Problem('forbidden', `This needs a key with the role ${roles.join(' or ')}.`);
    }
    c.set('caller', caller);
    await next();
  });

/** @returns the part of a route that needs an API key: its id, and a middleware that admits whom `ACCESS` names */
export const keyed = (operationId: KeyedOperationId) => ({
  operationId,
  middleware: requireRole(ROLES_OF[ACCESS[operationId]]),
});
