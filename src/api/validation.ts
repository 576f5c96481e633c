import type { Hook } from '@hono/zod-openapi';
import type { z } from 'zod';
import { RequestError } from '../contracts/request-error.ts';
import type { ApiEnv } from './environment.ts';
import { invalidFields, type FieldError } from './errors.ts';

/** A body can be wrong in thousands of places; the first few are enough to fix it. */
const MOST_ERRORS = 20;

/**
 * Answers a request that does not match the schemas of its operation.
 * @throws Problem `invalid_fields`, or RequestError `not_found` for an id that cannot be one
 */
export const refuseInvalid: Hook<unknown, ApiEnv, string, undefined> = (result) => {
  if (result.success) return undefined;
  if (result.target === 'param') throw new RequestError('not_found', 'Not found.');
  const where = result.target === 'query' || result.target === 'header' ? result.target : 'body';
  const errors = result.error.issues.flatMap((issue) => fieldErrors(where, issue)).slice(0, MOST_ERRORS);
  throw invalidFields(errors);
};

function fieldErrors(where: FieldError['in'], issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code !== 'unrecognized_keys') return [{ in: where, pointer: pointer(issue.path), detail: issue.message }];
  return issue.keys.map((key) => ({ in: where, pointer: pointer([...issue.path, key]), detail: 'is not a known field' }));
}

/** @returns the JSON Pointer (RFC 6901) to a field */
export const pointer = (path: PropertyKey[]): string =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
