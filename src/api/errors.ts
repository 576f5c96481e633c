import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { isDatabaseUnavailable } from '../db/availability.ts';
import { RequestError, type RequestErrorType } from '../contracts/request-error.ts';
import { isTemporalUnavailable } from '../temporal/availability.ts';
import type { ApiEnv } from './environment.ts';
import { header } from './schemas/header.ts';

interface ProblemKind {
  status: 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 421 | 422 | 429 | 500 | 503;
  title: string;
}

/** Everything that can be wrong with a request. Answers and the OpenAPI document are made from it. */
export const PROBLEMS = {
  malformed_json: { status: 400, title: 'The body is not JSON' },
  invalid_idempotency_key: { status: 400, title: 'The Idempotency-Key is missing or invalid' },
  unauthenticated: { status: 401, title: 'A valid API key is required' },
  invalid_signature: { status: 401, title: 'The signature is missing, wrong or too old' },
  forbidden: { status: 403, title: 'This key is not allowed to do that' },
  own_order: { status: 403, title: 'The key that placed an order cannot approve it' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'This method is not allowed here' },
  order_not_cancellable: { status: 409, title: 'The order can no longer be cancelled' },
  approval_not_awaited: { status: 409, title: 'The order is not waiting for a decision' },
  email_taken: { status: 409, title: 'The email address already has an open signup' },
  signup_expired: { status: 409, title: 'The signup has expired' },
  signup_not_on_trial: { status: 409, title: 'The signup is not on trial' },
  failure_not_open: { status: 409, title: 'The failure is not open' },
  order_not_failed: { status: 409, title: 'The order has not failed' },
  money_unsettled: { status: 409, title: 'Money of an earlier generation is not refunded' },
  person_erased: { status: 409, title: 'The data of this person was erased' },
  bulk_action_not_running: { status: 409, title: 'The bulk action has ended' },
  fix_not_certain: { status: 409, title: 'It is not certain which side is right' },
  already_requested: { status: 409, title: 'This has already been requested' },
  refund_unknown: { status: 409, title: 'It is not known how much to refund' },
  content_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The body must be application/json' },
  unknown_host: { status: 421, title: 'This is not a host of the API' },
  invalid_fields: { status: 422, title: 'Some fields are invalid' },
  idempotency_key_reused: { status: 422, title: 'The Idempotency-Key was used for another request' },
  unknown_product: { status: 422, title: 'A product is not on sale' },
  duplicate_item: { status: 422, title: 'A product is listed twice' },
  mixed_currencies: { status: 422, title: 'The items have different currencies' },
  total_too_large: { status: 422, title: 'The order is too large' },
  invalid_token: { status: 422, title: 'The token is wrong or already used' },
  too_many_requests: { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'Something went wrong' },
  unavailable: { status: 503, title: 'The database cannot be reached' },
  temporal_unavailable: { status: 503, title: 'Temporal cannot be reached' },
} as const satisfies Record<string, ProblemKind> & Record<RequestErrorType, ProblemKind>;

export type ProblemType = keyof typeof PROBLEMS;

const isProblemType = (type: string): type is ProblemType => type in PROBLEMS;

export const PROBLEM_TYPES = Object.keys(PROBLEMS).filter(isProblemType);

/** @returns the stable `type` URI of a problem. */
export const problemUri = (type: ProblemType): string => `urn:holdfast:problem:${type.replaceAll('_', '-')}`;

/** @returns the name of the example of a problem in the OpenAPI document, e.g. `notFound` */
export const exampleName = (type: ProblemType): string => type.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

const fieldError = z.strictObject({
  in: z.enum(['body', 'header', 'query']),
  pointer: z.string().openapi({ description: 'JSON Pointer (RFC 6901) to the invalid part', example: '/items/0/sku' }),
  detail: z.string(),
});

export type FieldError = z.infer<typeof fieldError>;

/** Problem details, RFC 9457. */
export const problemSchema = z
  .strictObject({
    type: z.enum(PROBLEM_TYPES.map(problemUri)),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string().openapi({ description: 'The requested path' }),
    requestId: z.string(),
    errors: z.array(fieldError).optional(),
  })
  .openapi('Problem');

export type ProblemBody = z.infer<typeof problemSchema>;

/** Thrown for a request that is answered with a problem. */
export class Problem extends Error {
  override name = 'Problem';
  readonly type: ProblemType;
  readonly errors: FieldError[];
  readonly headers: Record<string, string>;

  /** @param detail what is wrong this time; shown to the caller */
  constructor(
    type: ProblemType,
    detail: string,
    { errors = [], headers = {} }: { errors?: FieldError[]; headers?: Record<string, string> } = {},
  ) {
    super(detail);
    this.type = type;
    this.errors = errors;
    this.headers = headers;
  }
}

/** @returns the problem of a request with invalid fields */
export const invalidFields = (errors: FieldError[]): Problem => new Problem('invalid_fields', 'Some fields are invalid; see `errors`.', { errors });

/** @returns the problem for an error. An unexpected error tells the caller nothing about itself. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof RequestError) {
    const { type, message, pointer } = error;
    return new Problem(type, message, { errors: pointer ? [{ in: 'body', pointer, detail: message }] : [] });
  }
  if (error instanceof HTTPException) {
    if (error.status === 400) return new Problem('malformed_json', 'The body is not valid JSON, or an object in it names a field twice.');
    if (error.status === 415) return new Problem('unsupported_media_type', 'Send Content-Type: application/json.');
  }
  if (isDatabaseUnavailable(error)) {
    // Whether it was done is not known: the answer to the commit may be what was lost.
    return new Problem('unavailable', 'Try again shortly, with the same Idempotency-Key: the request is executed once.', {
      headers: { 'Retry-After': '2' },
    });
  }
  if (isTemporalUnavailable(error)) {
    return new Problem('temporal_unavailable', 'Temporal is not answering. Check the current state before you repeat this.', {
      headers: { 'Retry-After': '2' },
    });
  }
  return new Problem('internal', 'The error is ours and was logged. Include the requestId when you report it.');
}

/** @returns the response for a problem, as `application/problem+json` */
export function respondWithProblem(c: Context<ApiEnv>, problem: Problem): Response {
  const { status, title } = PROBLEMS[problem.type];
  const body: ProblemBody = {
    type: problemUri(problem.type),
    title,
    status,
    detail: problem.message,
    instance: c.req.path,
    requestId: c.var.requestId,
    ...(problem.errors.length > 0 ? { errors: problem.errors } : {}),
  };
  return c.body(JSON.stringify(body), status, { ...problem.headers, 'Content-Type': 'application/problem+json' });
}

interface ProblemResponse {
  description: string;
  headers?: Record<string, ReturnType<typeof header>>;
  content: { 'application/problem+json': { schema: typeof problemSchema; examples: Record<string, { $ref: string }> } };
}

/** The headers that every problem with a status has. */
const HEADERS: Partial<Record<ProblemKind['status'], ProblemResponse['headers']>> = {
  401: { 'WWW-Authenticate': header('What the request must bring') },
  429: { 'Retry-After': header('When to try again, in seconds') },
  503: { 'Retry-After': header('When to try again, in seconds') },
};

/**
 * Describes for the OpenAPI document which problems an operation may answer with.
 * @returns one response for each status, naming the `type`s behind it
 */
export function problems<Type extends ProblemType>(
  ...types: Type[]
): Record<(typeof PROBLEMS)[Type]['status'], ProblemResponse>;
export function problems(...types: ProblemType[]): Record<number, ProblemResponse> {
  const responses: Record<number, ProblemResponse> = {};
  for (const type of types) {
    const { status, title } = PROBLEMS[type];
    const line = `\`${problemUri(type)}\`: ${title}.`;
    const before = responses[status];
    const examples = before?.content['application/problem+json'].examples;
    responses[status] = {
      description: before ? `${before.description}\n\n${line}` : line,
      ...(HEADERS[status] && { headers: HEADERS[status] }),
      content: {
        'application/problem+json': {
          schema: problemSchema,
          examples: { ...examples, [exampleName(type)]: { $ref: `#/components/examples/${exampleName(type)}` } },
        },
      },
    };
  }
  return responses;
}

/** What any operation that reads the database may answer with. */
export const COMMON = ['unknown_host', 'too_many_requests', 'unavailable', 'internal'] as const;

/** What any operation with a JSON body may answer with. */
export const WITH_BODY = [
  'malformed_json',
  'unsupported_media_type',
  'content_too_large',
  'invalid_fields',
  ...COMMON,
] as const;
