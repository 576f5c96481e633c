import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import { ROLES_OF, type Caller } from '../contracts/caller.ts';
import type { Role } from '../contracts/statuses.ts';
import { ACCESS, type KeyedOperationId } from './access.ts';
import type { CallerEnv } from './environment.ts';
import { Problem } from './errors.ts';

const BEARER = /^Bearer +([\w.~+/-]+=*) *$/i;

/** @returns the key that a request brings */
const keyOf = (c: Context): string | undefined => BEARER.exec(c.req.header('Authorization') ?? '')?.[1];

/** @returns whose key a request brings; undefined unless it is in use */
export async function findCaller(c: Context<CallerEnv>): Promise<Caller | undefined> {
  const key = keyOf(c);
  return key === undefined ? undefined : await c.get('keys').identify(key);
}

/** @throws Problem `unauthenticated` unless the request brings a key that is in use */
export async function identify(c: Context<CallerEnv>): Promise<Caller> {
  const caller = await findCaller(c);
  if (caller) return caller;
  // RFC 6750, section 3: `invalid_token` only for a request that sent a token.
  const challenge = keyOf(c) === undefined ? 'Bearer realm="holdfast"' : 'Bearer realm="holdfast", error="invalid_token"';
  throw new Problem('unauthenticated', 'Send Authorization: Bearer with a valid API key.', {
    headers: { 'WWW-Authenticate': challenge },
  });
}

/** @returns a middleware that admits only callers with one of the roles, and tells the handler who calls */
export const requireRole = (roles: readonly Role[]) =>
  createMiddleware<CallerEnv>(async (c, next) => {
    const caller = await identify(c);
    // Operations of operators pass here twice: see `app.ts`.
    if (!c.get('isCounted')) await c.get('limits').admit(c, caller.keyId);
    c.set('isCounted', true);
    if (!roles.includes(caller.role)) {
      throw new Problem('forbidden', `This needs a key with the role ${roles.join(' or ')}.`);
    }
    c.set('caller', caller);
    await next();
  });

/**
 * Does something that takes long for a caller, such as to stream events.
 * @param work should end when its signal is aborted: the client has gone, or its key was revoked or has expired
 */
export const whileAllowed = <Result>(c: Context<CallerEnv>, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> =>
  c.get('keys').whileInUse(keyOf(c) ?? '', (ended) => work(AbortSignal.any([ended, c.req.raw.signal])));

/** @returns the part of a route that needs an API key: its id, and a middleware that admits whom `ACCESS` names */
export const keyed = (operationId: KeyedOperationId) => ({
  operationId,
  middleware: requireRole(ROLES_OF[ACCESS[operationId]]),
});
