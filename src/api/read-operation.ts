import { createRoute, type z } from '@hono/zod-openapi';
import { allow, OPERATORS } from './auth.ts';
import { COMMON, problems } from './errors.ts';
import { idParams, json } from './schemas/common.ts';

interface Texts {
  summary: string;
  description?: string;
}

/** What every route that shows operators something has. */
const shown = (texts: Texts) => ({ method: 'get' as const, tags: ['Operations'], ...texts, ...allow(OPERATORS) });

/** @returns the route of what operators read with a query, e.g. a list */
export const queryRoute = <Path extends `/v1/ops/${string}`, Query extends z.ZodObject, Answer extends z.ZodType>(
  path: Path,
  texts: Texts,
  query: Query,
  answer: Answer,
) =>
  createRoute({
    path,
    ...shown(texts),
    request: { query },
    responses: {
      200: { description: 'Found', content: json(answer) },
      ...problems('unauthenticated', 'forbidden', 'invalid_fields', ...COMMON),
    },
  });

/** @returns the route of one thing, or of a part of it, that operators read by its id */
export const idRoute = <Path extends `/v1/ops/${string}/{id}${string}`, Answer extends z.ZodType>(
  path: Path,
  texts: Texts,
  answer: Answer,
) =>
  createRoute({
    path,
    ...shown(texts),
    request: { params: idParams },
    responses: {
      200: { description: 'Found', content: json(answer) },
      ...problems('unauthenticated', 'forbidden', 'not_found', ...COMMON),
    },
  });
