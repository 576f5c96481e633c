import type { MiddlewareHandler } from 'hono';
import type { ApiEnv } from './environment.ts';
import { invalidFields, Problem } from './errors.ts';
import { pointer } from './validation.ts';

const ENCODED = /%(?:[01][\da-f]|7f)/i;
const CONTROL = /\p{Cc}/u;

/** Refuses control characters in the path and the query: nothing is called that, and neither Postgres nor a header can hold them. */
export const refuseControlCharacters: MiddlewareHandler<ApiEnv> = (c, next) => {
  if (!ENCODED.test(c.req.url)) return next();
  const { pathname, searchParams } = new URL(c.req.url);
  if (ENCODED.test(pathname)) throw new Problem('not_found', 'Nothing at this address.');
  const errors = [...searchParams]
    .filter(([name, value]) => CONTROL.test(name) || CONTROL.test(value))
    .map(([name]) => ({ in: 'query' as const, pointer: pointer([name]), detail: 'must not contain control characters' }));
  throw invalidFields(errors);
};
