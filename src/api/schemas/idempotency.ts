import { hash } from 'node:crypto';
import type { Context } from 'hono';
import type { IdempotentRequest } from '../../records/idempotency.ts';
import { traceparent } from '../../tracing/spans.ts';
import { Problem } from '../errors.ts';
import { requestHeader } from './header.ts';

const KEY = /^[!-~]{1,255}$/;
const RULE = '1 to 255 visible ASCII characters';

const idempotencyParameter = (required: boolean, description: string) =>
  requestHeader('Idempotency-Key', `${RULE}. ${description}`, {
    required,
    pattern: KEY.source,
    example: '5f0c6a3e-order-1042',
  });

/** For the OpenAPI document; {@link idempotentRequest} checks it, because a missing key is 400 and not 422. */
export const idempotencyHeader = idempotencyParameter(
  true,
  'A request that is repeated with the same key is executed once and gets the same answer.',
);

/** For an operation that accepts a key but does not require one. */
export const optionalIdempotencyHeader = idempotencyParameter(
  false,
  'With a key, a repeated request is executed once and gets the same answer.',
);

/**
 * @param body the validated body
 * @throws Problem `invalid_idempotency_key` when the request has no usable key
 */
export function idempotentRequest(c: Context, body: unknown): IdempotentRequest {
  const idempotencyKey = c.req.header('Idempotency-Key');
  if (idempotencyKey === undefined || !KEY.test(idempotencyKey)) {
    const detail = `Send an Idempotency-Key of ${RULE}. It makes repeating the request harmless.`;
    throw new Problem('invalid_idempotency_key', detail, {
      errors: [{ in: 'header', pointer: '/Idempotency-Key', detail: `must be ${RULE}` }],
    });
  }
  const asked = `${c.req.method} ${c.req.path} ${canonicalJson(body)}`;
  return { idempotencyKey, requestHash: hash('sha256', asked), requestId: c.get('requestId'), traceparent: traceparent() };
}

/** The same for the same content, in whatever order its fields came. */
const canonicalJson = (value: unknown): string => JSON.stringify(sortFields(value));

function sortFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortFields);
  if (value === null || typeof value !== 'object') return value;
  const sorted: Record<string, unknown> = {};
  for (const name of Object.keys(value).toSorted()) sorted[name] = sortFields(Reflect.get(value, name));
  return sorted;
}

/** The headers of the answer to a request that creates something. */
export const acceptedHeaders = ({ location, repeated }: { location: string; repeated: boolean }) => ({
  Location: location,
  'Retry-After': '1',
  ...(repeated ? { 'Idempotency-Replayed': 'true' } : {}),
});
