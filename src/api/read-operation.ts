import { createRoute, type z } from '@hono/zod-openapi';
import type { KeyedOperationId } from './access.ts';
import { keyed } from './auth.ts';
import { COMMON, problems } from './errors.ts';
import { idParams, json, type Examples } from './schemas/common.ts';

interface Texts {
  summary: string;
  description?: string;
}

/** What every route that shows operators something has. */
const shown = (operationId: KeyedOperationId, texts: Texts) => ({
  method: 'get' as const,
  tags: ['Operations'],
  ...texts,
  ...keyed(operationId),
});

/** @returns the route of what operators read with a query, e.g. a list */
export const queryRoute = <Path extends `/v1/ops/${string}`, Query extends z.ZodObject, Answer extends z.ZodType>(
  operationId: KeyedOperationId,
  path: Path,
  texts: Texts,
  query: Query,
  answer: Answer,
  examples: Examples<Answer>,
) =>
  createRoute({
    path,
    ...shown(operationId, texts),
    request: { query },
    responses: {
      200: { description: 'Found', content: json(answer, examples) },
      ...problems('unauthenticated', 'forbidden', 'invalid_fields', ...COMMON),
    },
  });

/** @returns the route of one thing, or of a part of it, that operators read by its id */
export const idRoute = <Path extends `/v1/ops/${string}/{id}${string}`, Answer extends z.ZodType>(
  operationId: KeyedOperationId,
  path: Path,
  texts: Texts,
  answer: Answer,
  examples: Examples<Answer>,
) =>
  createRoute({
    path,
    ...shown(operationId, texts),
    request: { params: idParams },
    responses: {
      200: { description: 'Found', content: json(answer, examples) },
      ...problems('unauthenticated', 'forbidden', 'not_found', ...COMMON),
    },
  });
