import { z } from '@hono/zod-openapi';
import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import type { IdempotentRequest } from '../../intake/idempotency.ts';
import { Problem } from '../errors.ts';

const KEY = /^[\x21-\x7e]{1,255}$/;
const RULE = '1 to 255 visible ASCII characters';

/** For the OpenAPI document; {@link idempotentRequest} checks it, because a missing key is 400 and not 422. */
export const idempotencyHeaders = z.object({
  'Idempotency-Key': z
    .string()
    .optional()
    .openapi({
      param: { in: 'header', required: true },
      description: `${RULE}. A request that is sent again under the same key is done once and answered the same.`,
    }),
});

/** For an operation that honours a key without asking for one. */
export const optionalIdempotencyHeaders = z.object({
  'Idempotency-Key': z
    .string()
    .optional()
    .openapi({
      param: { in: 'header' },
      description: `${RULE}. Given one, a request that is sent again is done once and answered the same.`,
    }),
});

/**
 * @param body the validated body
 * @throws Problem `invalid_idempotency_key` when the request has no usable key
 */
export function idempotentRequest(c: Context, body: unknown): IdempotentRequest {
  const idempotencyKey = c.req.header('Idempotency-Key');
  if (idempotencyKey === undefined || !KEY.test(idempotencyKey)) {
    const detail = `Send an Idempotency-Key of ${RULE}: it makes sending the request again harmless.`;
    throw new Problem('invalid_idempotency_key', detail, {
      errors: [{ in: 'header', pointer: '/Idempotency-Key', detail: `must be ${RULE}` }],
    });
  }
  const asked = `${c.req.method} ${c.req.path} ${canonicalJson(body)}`;
  return { idempotencyKey, requestHash: createHash('sha256').update(asked).digest('hex') };
}

/** The same for the same content, in whatever order its fields came. */
const canonicalJson = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );

/** The headers of an answer to a creating request. */
export const acceptedHeaders = ({ location, replayed }: { location: string; replayed: boolean }) => ({
  Location: location,
  'Retry-After': '1',
  ...(replayed ? { 'Idempotency-Replayed': 'true' } : {}),
});
