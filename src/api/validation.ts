import type { Hook } from '@hono/zod-openapi';
import type { z } from 'zod';
import { notFound } from '../intake/errors.ts';
import type { ApiEnv } from './environment.ts';
import { Problem, type FieldError } from './errors.ts';

/** A body can be wrong in thousands of places; the first few are enough to mend it. */
const MOST_ERRORS = 20;

/**
 * What happens to a request whose parts do not fit the schemas of its operation.
 * @throws Problem `invalid_fields`, or IntakeError `not_found` for an id that cannot be one
 */
export const refuseInvalid: Hook<unknown, ApiEnv, string, undefined> = (result) => {
  if (result.success) return undefined;
  if (result.target === 'param') throw notFound('thing');
  const where = result.target === 'query' || result.target === 'header' ? result.target : 'body';
  const errors = result.error.issues.flatMap((issue) => fieldErrors(where, issue)).slice(0, MOST_ERRORS);
  throw new Problem('invalid_fields', 'Some fields are not valid; see `errors`.', { errors });
};

function fieldErrors(where: FieldError['in'], issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code !== 'unrecognized_keys') return [{ in: where, pointer: pointer(issue.path), detail: issue.message }];
  return issue.keys.map((key) => ({ in: where, pointer: pointer([...issue.path, key]), detail: 'is not known here' }));
}

/** RFC 6901. */
const pointer = (path: PropertyKey[]): string =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
